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
  /** COCO category id of each class: the file's own for COCO JSON, else 1..n. */
  readonly categoryIds: readonly number[];
  /** In order of image id. */
  readonly items: readonly DatasetItem[];
  /** All that was wrong; its pictures are not among `items`. Empty unless `skipInvalid`. */
  readonly problems: readonly DatasetProblem[];
  /** Boxes left out because their class is not wanted, by the dataset's class name. */
  readonly droppedBoxes: Readonly<Record<ClassName, number>>;
  /** What a reader of the report should know, one line each: every picture and label that is not used, with the reason, and what was assumed. */
  readonly notes: readonly string[];
}

export type Split = "train" | "val" | "test";

/** What a picture without a label file of a YOLO or VOC data set is. */
export type UnlabelledPolicy = "background" | "teacher" | "skip" | "error";

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
  /** Wanted classes that the data set lacks: an error (default), or a note as long as it has one of them. */
  readonly lacking?: "error" | "note";
  /** Names for YOLO class numbers where no data.yaml or classes.txt gives them. */
  readonly labelNames?: readonly ClassName[];
  /** The model's classes. They name YOLO class numbers, where nothing else does, only if they are COCO's 80 and the numbers go that far. */
  readonly modelNames?: readonly ClassName[];
  /**
   * Pictures without a label file in a YOLO or VOC data set that has label files: `background` (default) has no objects, as YOLO trainers take
   * it; `teacher` is unlabelled, for training with a teacher; `skip` leaves them out; `error` stops.
   */
  readonly unlabelled?: UnlabelledPolicy;
  /** Leave out what is broken instead of failing. Default false. */
  readonly skipInvalid?: boolean;
  /** Told of each problem as it is found. */
  readonly onProblem?: (problem: DatasetProblem) => void;
  /** Largest picture allowed, in pixels; default 64 million. */
  readonly maxPixels?: number;
  /** `header` (default) reads each picture's header and end, which finds those that break off; `full` decodes it all. */
  readonly verify?: "header" | "full";
  readonly onProgress?: (done: number, total: number) => void;
  /** Gives what was read of a file's content under this name before, where the file is the same; else reads it. Default reads always. */
  readonly remember?: <Fact>(path: string, name: string, read: () => Promise<Fact>) => Promise<Fact>;
}

/** A label as a format's reader gives it: the class by its place in the dataset's own list, the box in pixels or in fractions of the picture. */
export interface RawBox {
  readonly category: number;
  readonly box: readonly [number, number, number, number];
  readonly crowd?: boolean;
  readonly area?: number;
  readonly unmatchable?: boolean;
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
  /** May hold several spellings of one class. */
  readonly classes: readonly ClassName[];
  /** Of each class; default 1..n. */
  readonly categoryIds?: readonly number[];
  readonly items: readonly RawItem[];
  readonly notes: readonly string[];
}

/** Collects problems while a reader goes on. */
export type Report = (problem: DatasetProblem) => void;
