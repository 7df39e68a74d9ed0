export const headFamilies = [
  "yolov5",
  "yolov6",
  "yolov8",
  "yolox",
  "nanodet",
  "segment",
  "pose",
  "end2end",
  "detr",
  "boxes",
] as const;
export type HeadFamily = (typeof headFamilies)[number];

/** What the four numbers of a box are: corners, centre and size, top-left corner and size, or corners with y first. */
export const boxForms = ["xyxy", "cxcywh", "xywh", "yxyx"] as const;
export type BoxForm = (typeof boxForms)[number];

/** Pixels of the network's input, or 0..1 of it. */
export const coordinateKinds = ["pixels", "unit"] as const;
export type Coordinates = (typeof coordinateKinds)[number];

interface HeadBase {
  readonly family: HeadFamily;
  readonly classCount: number;
  /** The model outputs that `decode` reads, in its order. */
  readonly outputNames: readonly string[];
  /** Network input [width, height] in pixels. */
  readonly size: readonly [number, number];
  /** False where the model itself leaves one box per object. */
  readonly needsNms: boolean;
}

/** One row per anchor: cx, cy, w, h, (objectness,) class probabilities, and nothing else. */
export interface DenseHead extends HeadBase {
  readonly kind: "dense";
  /** [N, columns, anchors] rather than [N, anchors, columns]. */
  readonly channelsFirst: boolean;
  readonly objectness: boolean;
  /** Boxes are offsets on the grid (YOLOX without decoding): centre = (xy + cell) stride, size = exp(wh) stride. */
  readonly raw: boolean;
  readonly strides: readonly number[];
}

/** Rows x1, y1, x2, y2, score, class in network pixels; [N, K, 6]. */
export interface RowsHead extends HeadBase {
  readonly kind: "rows";
}

/** A column (and those after it) of one of the outputs. */
export interface Place {
  /** Index into `outputNames`. */
  readonly output: number;
  readonly column: number;
}

/** A probability for every class in columns of their own. */
export interface ClassColumns {
  readonly by: "class";
  readonly at: Place;
  /** [N, columns, rows] rather than [N, rows, columns]. */
  readonly channelsFirst: boolean;
  /** `none`: the columns are probabilities already. */
  readonly activation: "none" | "sigmoid" | "softmax";
  /** The column (0 is the first) that means "no object"; it is no class. */
  readonly background: number | null;
  /** Multiplies the class columns. */
  readonly objectness: Place | null;
}

/** One score and one class number a row. */
export interface ScoreAndLabel {
  readonly by: "label";
  readonly score: Place;
  readonly label: Place;
  /** Subtracted from the model's labels: 1 where they begin at 1. */
  readonly labelOffset: number;
}

/** Any other table of boxes: where each number stands and what it means. */
export interface TableHead extends HeadBase {
  readonly kind: "table";
  readonly boxes: Place;
  /** The box's output is [N, columns, rows]. */
  readonly channelsFirst: boolean;
  readonly form: BoxForm;
  readonly coordinates: Coordinates;
  readonly scores: ClassColumns | ScoreAndLabel;
  /** The output that says how many rows are filled; later rows are padding. */
  readonly count: number | null;
  /** The column of the boxes' output that holds the index of the picture in the batch. */
  readonly pictureColumn: number | null;
  /** Strides of the grid that the rows run over, where they do. */
  readonly strides: readonly number[] | null;
  /**
   * The box columns are distributions over this many bins of the distances left, top, right, bottom, in strides
   * (NanoDet-Plus).
   */
  readonly bins: number | null;
}

export type Head = DenseHead | RowsHead | TableHead;

export interface TensorInfo {
  readonly name: string;
  /** Unknown dimensions as null. */
  readonly shape: readonly (number | null)[];
  /** ONNX Runtime's name of the type ("float32", "int64"), where known. */
  readonly type?: string;
}

/** What a person can say about a head. */
export interface HeadSettings {
  /** `auto` or absent: recognise. */
  readonly family?: HeadFamily | "auto" | undefined;
  /** Read these outputs only; the others are left unread. */
  readonly outputs?: readonly string[] | undefined;
  readonly labelOffset?: number | undefined;
  /** The class column that means "no object", counted from 0. */
  readonly background?: number | undefined;
  readonly boxes?: BoxForm | undefined;
  readonly coordinates?: Coordinates | undefined;
}

export interface HeadQuestion extends Omit<HeadSettings, "outputs"> {
  readonly outputs: readonly TensorInfo[];
  /** See HeadSettings.outputs. */
  readonly only?: readonly string[] | undefined;
  /** The model's inputs beside the picture. */
  readonly inputNames?: readonly string[];
  readonly metadata?: ReadonlyMap<string, string>;
  /** Name of the exporter that signed the file. */
  readonly producer?: string;
  /** How often each op type occurs in the graph. */
  readonly ops?: ReadonlyMap<string, number>;
  /** Sizes of the first and last axes of the graph's weights. */
  readonly widths?: ReadonlySet<number>;
  /** From the dataset or the config, where the metadata has no names. */
  readonly classCount?: number;
  /** Their names, where they are known. */
  readonly names?: readonly string[] | undefined;
  /** Network input [width, height]. */
  readonly size: readonly [number, number];
}

/** One way to read the outputs. */
export interface Candidate {
  /** Name of the layout's row. */
  readonly layout: string;
  readonly head: Head;
  /**
   * 0: what these shapes usually are; the more, the less usual. The least doubtful reading that the run does not
   * contradict is taken.
   */
  readonly doubt: number;
  /**
   * The shapes and names do not settle it: another reading of the same layout that the run allows too is a
   * question to the user.
   */
  readonly weak: boolean;
}

/** A layout that the outputs nearly have, and what speaks against it. */
export interface NearMiss {
  readonly layout: string;
  readonly why: string;
  /** The names' count is what does not fit. */
  readonly classes?: boolean;
}
