/** Name of an object class, as the dataset or the model's metadata spells it. */
export type ClassName = string;

/** `[x, y, width, height]` in pixels, (x, y) the top-left corner; fractions allowed. COCO's box form. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** One predicted object; `score` in 0..1, `classIndex` indexes the class list that travels with it. */
export interface Detection {
  readonly box: Box;
  readonly score: number;
  readonly classIndex: number;
}

/** One annotated object. `crowd` regions (COCO `iscrowd`, VOC `difficult`) are ignored, not missed, by the metric. */
export interface LabelledBox {
  readonly box: Box;
  readonly classIndex: number;
  readonly crowd?: boolean;
  /** Object area in square pixels where the annotation gives it (COCO, from the mask): the metric's size classes use it; else width x height. */
  readonly area?: number;
  /** COCO annotation id 0. pycocotools reads it as "no match": a detection of this object counts as wrong there, and here. */
  readonly unmatchable?: boolean;
}

/** Decoded picture, 8 bits a channel, RGB interleaved: `data[(y * width + x) * 3 + channel]`. */
export interface Image8 {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/**
 * The preprocess contract: how a picture becomes the network's input tensor.
 * value = (pixel * scale - mean[c]) / std[c], c counted in `order`; `pad` is the grey level (0..255) around a letterboxed picture.
 */
export interface Preprocess {
  /** Network input `[width, height]` in pixels. */
  readonly size: readonly [width: number, height: number];
  readonly resize: "letterbox" | "stretch";
  readonly align: "center" | "topleft";
  readonly pad: number;
  readonly order: "rgb" | "bgr";
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}
