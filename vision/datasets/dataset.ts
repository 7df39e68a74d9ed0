import type { ClassName, LabelledBox } from "../types.ts";

/** One picture of a dataset. */
export interface DatasetItem {
  /** Path relative to the dataset's root, with `/`: stable across machines. */
  readonly id: string;
  /** COCO image id: the file's own for COCO JSON, else 1..n in sorted order of the paths. */
  readonly imageId: number;
  readonly path: string;
  /** Pixels, after EXIF rotation. */
  readonly width: number;
  readonly height: number;
  /** Size of the file. */
  readonly bytes: number;
  /** `null`: this dataset has no labels. An empty list: a picture without objects. */
  readonly boxes: readonly LabelledBox[] | null;
}

/** Something wrong with one file of a dataset. */
export interface DatasetProblem {
  readonly file: string;
  /** 1-based, where the file has lines. */
  readonly line?: number;
  readonly message: string;
}

export interface Dataset {
  /** What `classIndex` indexes: the wanted classes, or the dataset's own. */
  readonly classes: readonly ClassName[];
  readonly items: readonly DatasetItem[];
  /** All that was wrong; its pictures are not among `items`. Empty unless `skipInvalid`. */
  readonly problems: readonly DatasetProblem[];
  /** Boxes left out because their class is not wanted, by the dataset's class name. */
  readonly droppedBoxes: Readonly<Record<ClassName, number>>;
  /** What a reader of the report should know: identical labels merged, where class names came from. */
  readonly notes: readonly string[];
}

export type Split = "train" | "val" | "test";

export interface DatasetSpec {
  /** COCO .json, data.yaml, a list of images (.txt), or a folder (YOLO, VOC, COCO or only images). */
  readonly path: string;
  /** COCO: the folder that the file names are relative to, when it is not near the JSON. */
  readonly images?: string;
  /** Which part of a dataset that has several; default `val`. */
  readonly split?: Split;
}

export interface DatasetOptions {
  /** Wanted classes, matched by name (case, `_` and the usual aliases do not matter); default all. */
  readonly classes?: readonly ClassName[];
  /** Names for YOLO class numbers where no data.yaml or classes.txt gives them; say, the model's own list. */
  readonly labelNames?: readonly ClassName[];
  /** Leave out what is broken instead of failing. Default false. */
  readonly skipInvalid?: boolean;
  /** Told of each problem as it is found. */
  readonly onProblem?: (problem: DatasetProblem) => void;
  /** Largest picture allowed, in pixels; default 64 million. */
  readonly maxPixels?: number;
  /** `header` (default) reads each picture's header, `full` decodes it all, which finds truncated files early. */
  readonly verify?: "header" | "full";
}

/** A label as a format's reader gives it: the class by the dataset's own name, the box in pixels or in fractions of the picture. */
export interface RawBox {
  readonly className: ClassName;
  readonly box: readonly [number, number, number, number];
  readonly crowd?: boolean;
  readonly area?: number;
}

/** A picture as a format's reader gives it, before the picture itself is looked at. */
export interface RawItem {
  readonly id: string;
  readonly imageId: number;
  readonly path: string;
  /** Declared size, checked against the picture. */
  readonly declared?: { readonly width: number; readonly height: number };
  readonly boxes: readonly RawBox[] | null;
  /** Boxes are fractions of width and height (YOLO), else pixels. */
  readonly normalized: boolean;
  /** Boxes stay as annotated, also where they leave the picture a little (COCO: the metric must see them as pycocotools does). */
  readonly unclipped?: boolean;
}

export interface RawDataset {
  readonly classes: readonly ClassName[];
  readonly items: readonly RawItem[];
  readonly notes: readonly string[];
}

/** Collects problems while a reader goes on. */
export type Report = (problem: DatasetProblem) => void;
