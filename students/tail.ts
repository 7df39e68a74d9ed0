import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";

/** Strides of the levels P3, P4, P5. */
export const strides = [8, 16, 32] as const;

/** What the last convolutions of one level put out, [N, channels, H, W] each: box, class and (YOLOX) objectness logits. */
export interface HeadLevel {
  readonly box: Value;
  readonly classes: Value;
  readonly object?: Value;
}

/** The head's values over all anchors A (levels 8, 16, 32, row-major each), as losses want them. */
export interface HeadValues {
  /** [N, 4, A]: cx, cy, w, h in input pixels. */
  readonly boxes: Value;
  /** [N, classes, A], before the sigmoid. */
  readonly classLogits: Value;
  /** [N, 1, A], before the sigmoid; YOLOX only. */
  readonly objectLogits?: Value;
  /** [N, 4, regMax, A] logits of the distances left, top, right, bottom in strides; DFL heads only. */
  readonly distribution?: Value;
}

/** [N, C, Hl, Wl] of each level -> [N, C, A]. */
const overAnchors = (b: Builder, levels: readonly Value[]): Value =>
  b.concat(levels.map((level) => b.reshape(level, [0, Number(level.shape?.[1]), -1])), 2);

/** The dense values of a YOLOv8 head; box channels are 4·regMax, or 4 distances as they are where the head has no DFL (YOLO26). */
export const v8Dense = (b: Builder, levels: readonly HeadLevel[], size: readonly [number, number]): HeadValues => {
  const boxLogits = overAnchors(b, levels.map((level) => level.box));
  const classLogits = overAnchors(b, levels.map((level) => level.classes));
  const regMax = Number(boxLogits.shape?.[1]) / 4;
  if (regMax === 1) return { boxes: decodeDistances(b, boxLogits, size), classLogits };
  const distribution = b.reshape(boxLogits, [0, 4, regMax, -1]);
  return { boxes: decodeDistances(b, expectedDistances(b, distribution), size), classLogits, distribution };
};

/** YOLOv8's output: [N, 4 + classes, A], boxes then class probabilities. */
export const v8Output = (b: Builder, dense: HeadValues): Value => b.concat([dense.boxes, b.sigmoid(dense.classLogits)], 1);

/** [N, 4, regMax, A] logits -> [N, 4, A] distances in strides: the mean of each side's distribution (DFL, Li 2020). */
const expectedDistances = (b: Builder, distribution: Value): Value => {
  const regMax = Number(distribution.shape?.[2]);
  const bins = b.constant(Tensor.float32([1, 1, regMax, 1], Float32Array.from({ length: regMax }, (_, bin) => bin)));
  return b.sum(b.mul(b.op("Softmax", [distribution], { axis: 2 }), bins), [2], false);
};

/** Distances left, top, right, bottom from each anchor point -> cx, cy, w, h in pixels. */
const decodeDistances = (b: Builder, distances: Value, size: readonly [number, number]): Value => {
  const { points, strideRow } = anchorPoints(size);
  const anchors = b.constant(Tensor.float32([1, 2, points.length / 2], points));
  const [leftTop, rightBottom] = b.split(distances, [2, 2], 1) as [Value, Value];
  const from = b.sub(anchors, leftTop);
  const to = b.add(anchors, rightBottom);
  const boxes = b.concat([b.mul(b.add(from, to), 0.5), b.sub(to, from)], 1);
  return b.mul(boxes, b.constant(Tensor.float32([1, 1, strideRow.length], strideRow)));
};

/** The dense values of a YOLOX head: (xy + grid)·stride, exp(wh)·stride (Ge 2021). */
export const yoloxDense = (b: Builder, levels: readonly HeadLevel[], size: readonly [number, number]): HeadValues => {
  const { points, strideRow } = anchorPoints(size);
  const [xy, wh] = b.split(overAnchors(b, levels.map((level) => level.box)), [2, 2], 1) as [Value, Value];
  const corners = b.constant(Tensor.float32([1, 2, points.length / 2], points.map((centre) => centre - 0.5)));
  const boxes = b.mul(b.concat([b.add(xy, corners), b.exp(wh)], 1), b.constant(Tensor.float32([1, 1, strideRow.length], strideRow)));
  return {
    boxes,
    classLogits: overAnchors(b, levels.map((level) => level.classes)),
    objectLogits: overAnchors(b, levels.map((level) => level.object ?? level.classes)),
  };
};

/** YOLOX's raw output: [N, A, 5 + classes], undecoded box, objectness, class probabilities. */
export const yoloxOutput = (b: Builder, levels: readonly HeadLevel[]): Value => {
  const rows = levels.map(({ box, object, classes }) => b.concat([box, b.sigmoid(object ?? classes), b.sigmoid(classes)], 1));
  return b.transpose(overAnchors(b, rows), [0, 2, 1]);
};

/** Centres of all cells in units of their stride, x row then y row, and the stride of each: levels 8, 16, 32, row-major. */
export const anchorPoints = ([width, height]: readonly [number, number]): { points: Float32Array; strideRow: Float32Array } => {
  const cells = strides.flatMap((stride) => {
    const columns = Math.ceil(width / stride);
    return Array.from({ length: columns * Math.ceil(height / stride) }, (_, i) => ({ x: (i % columns) + 0.5, y: Math.floor(i / columns) + 0.5, stride }));
  });
  return {
    points: Float32Array.from([...cells.map((cell) => cell.x), ...cells.map((cell) => cell.y)]),
    strideRow: Float32Array.from(cells, (cell) => cell.stride),
  };
};
