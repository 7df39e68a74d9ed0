import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor, type DataType } from "../../graph/tensor.ts";
import { writeClassNames } from "../../students/metadata.ts";
import { seededNumbers } from "./models.ts";

export interface MadeDetector {
  readonly classes: readonly string[];
  readonly size: readonly [width: number, height: number];
  readonly strides?: readonly number[];
  /** Bins of each box side; 1 has plain distances (YOLO26). */
  readonly bins?: number;
  /**
   * What follows the last class convolution of all levels together, [1, classes, anchors] logits -> scores; default
   * Sigmoid.
   */
  readonly scores?: (b: Builder, logits: Value) => Value;
  /** One class convolution for all levels. */
  readonly sharedClasses?: boolean;
  /** Between backbone and head, on the last level [1, 16, h, w]. */
  readonly neck?: (b: Builder, x: Value) => Value;
  readonly inputType?: DataType;
  readonly batch?: number;
  /** Further outputs, from the last level. */
  readonly extra?: (b: Builder, x: Value) => Value;
  readonly seed?: number;
}

/**
 * A small detector with YOLOv8's output [1, 4 + classes, anchors] and random weights, exported as others do: batch
 * and sizes baked into its tail, which is written here anew, straight from the formulas. What the project's own tail
 * must equal.
 */
export const madeDetector = (options: MadeDetector): Graph => {
  const {
    classes,
    size: [width, height],
    strides = [8, 16, 32],
    bins = 8,
    inputType = "float32",
    batch = 1,
  } = options;
  const graph = new Graph("made", 17);
  const b = new Builder(graph, "made");
  let seed = options.seed ?? 1;
  const conv = (x: Value, channels: number, kernel: number, stride: number, name: string, shift = 0): Value => {
    const inputs = Number(x.shape![1]);
    const spread = Math.sqrt(6 / (inputs * kernel * kernel));
    const weight = graph.addInitializer(
      `${name}.weight`,
      Tensor.float32(
        [channels, inputs, kernel, kernel],
        seededNumbers(channels * inputs * kernel * kernel, seed++, -spread, spread),
      ),
    );
    const bias = graph.addInitializer(
      `${name}.bias`,
      Tensor.float32([channels], seededNumbers(channels, seed++, shift - 1, shift + 1)),
    );
    const pad = (kernel - 1) / 2;
    return b.op("Conv", [x, weight, bias], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  };
  const images = graph.addInput("images", inputType, [batch, 3, height, width]);
  let x = inputType === "float32" ? images : b.cast(images, "float32");
  const levels: Value[] = [];
  for (let stride = 2; stride <= strides.at(-1)!; stride *= 2) {
    x = b.op("Relu", [conv(x, 16, 3, 2, `stem${stride}`)]);
    if (options.neck && stride === strides.at(-1)) x = options.neck(b, x);
    if (strides.includes(stride)) levels.push(x);
  }
  const sharedWeight = graph.addInitializer(
    "shared.weight",
    Tensor.float32([classes.length, 16, 1, 1], seededNumbers(classes.length * 16, 99, -0.6, 0.6)),
  );
  const boxes = levels.map((level, i) =>
    conv(b.op("Relu", [conv(level, 16, 3, 1, `box${i}.0`)]), 4 * bins, 1, 1, `box${i}.1`, bins === 1 ? 6 : 0),
  );
  const logits = levels.map((level, i) => {
    const hidden = b.op("Relu", [conv(level, 16, 3, 1, `class${i}.0`)]);
    return options.sharedClasses
      ? b.op("Conv", [hidden, sharedWeight], { kernel_shape: [1, 1] })
      : conv(hidden, classes.length, 1, 1, `class${i}.1`);
  });
  const flat = (values: readonly Value[]): Value =>
    b.concat(
      values.map((v) => b.reshape(v, [batch, Number(v.shape![1]), Number(v.shape![2]) * Number(v.shape![3])])),
      2,
    );
  const scores = options.scores?.(b, flat(logits)) ?? b.sigmoid(flat(logits));
  const output = b.concat(
    [boxTail(b, flat(boxes), { bins, batch, cells: cellsOf([width, height], strides) }), scores],
    1,
  );
  output.name = "output0";
  graph.outputs.push(output);
  if (options.extra) {
    const more = options.extra(b, x);
    more.name = "extra";
    graph.outputs.push(more);
  }
  writeClassNames(graph, classes);
  return graph;
};

const cellsOf = ([width, height]: readonly [number, number], strides: readonly number[]) =>
  strides.flatMap((stride) =>
    Array.from({ length: (width / stride) * (height / stride) }, (_, i) => ({
      x: (i % (width / stride)) + 0.5,
      y: Math.floor(i / (width / stride)) + 0.5,
      stride,
    })),
  );

/** [batch, 4·bins, A] -> cx, cy, w, h in pixels, as Ultralytics' Detect exports it. */
const boxTail = (
  b: Builder,
  raw: Value,
  { bins, batch, cells }: { readonly bins: number; readonly batch: number; readonly cells: ReturnType<typeof cellsOf> },
): Value => {
  const anchors = cells.length;
  const row = (pick: (cell: (typeof cells)[number]) => number): number[] => cells.map(pick);
  const grid = b.constant(Tensor.float32([1, 2, anchors], [...row(({ x }) => x), ...row(({ y }) => y)]));
  const stride = b.constant(
    Tensor.float32(
      [1, anchors],
      row(({ stride: s }) => s),
    ),
  );
  const distances = bins === 1 ? raw : expectation(b, raw, bins, batch, anchors);
  const [leftTop, rightBottom] = b.split(distances, [2, 2], 1) as [Value, Value];
  const [from, to] = [b.sub(grid, leftTop), b.add(grid, rightBottom)];
  return b.mul(b.concat([b.div(b.add(from, to), 2), b.sub(to, from)], 1), stride);
};

/** DFL as a fixed 1×1 convolution over the softmax of the bins. */
const expectation = (b: Builder, raw: Value, bins: number, batch: number, anchors: number): Value => {
  const shares = b.op("Softmax", [b.transpose(b.reshape(raw, [batch, 4, bins, anchors]), [0, 2, 1, 3])], { axis: 1 });
  const kernel = b.constant(
    Tensor.float32(
      [1, bins, 1, 1],
      Array.from({ length: bins }, (_, bin) => bin),
    ),
  );
  return b.reshape(b.op("Conv", [shares, kernel], { kernel_shape: [1, 1] }), [batch, 4, anchors]);
};

/**
 * Self-attention over the cells of one level with batch and size baked into its Reshapes, as PSA blocks are exported;
 * `positions` adds learned ones.
 */
export const bakedAttention =
  (positions = false) =>
  (b: Builder, x: Value): Value => {
    const [, channels = 0, height = 0, width = 0] = x.shape!.map(Number);
    const given = positions
      ? b.add(x, b.constant(Tensor.float32([1, channels, height, width], seededNumbers(channels * height * width, 5))))
      : x;
    const tokens = b.reshape(given, [1, channels, height * width]);
    const shares = b.op("Softmax", [b.mul(b.matmul(b.transpose(tokens, [0, 2, 1]), tokens), 0.05)], { axis: -1 });
    return b.add(x, b.reshape(b.matmul(tokens, shares), [1, channels, height, width]));
  };

/** Self-attention inside each of 4 areas of the cells, which count as a batch of 4 meanwhile (YOLO12). */
export const areaAttention = (b: Builder, x: Value): Value => {
  const [, channels = 0, height = 0, width = 0] = x.shape!.map(Number);
  const tokens = b.transpose(
    b.reshape(b.transpose(b.reshape(x, [1, channels, height * width]), [0, 2, 1]), [4, (height * width) / 4, channels]),
    [0, 2, 1],
  );
  const shares = b.op("Softmax", [b.mul(b.matmul(b.transpose(tokens, [0, 2, 1]), tokens), 0.05)], { axis: -1 });
  const mixed = b.transpose(b.matmul(tokens, shares), [0, 2, 1]);
  return b.add(x, b.transpose(b.reshape(mixed, [1, height, width, channels]), [0, 3, 1, 2]));
};
