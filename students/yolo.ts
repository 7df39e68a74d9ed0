import { Builder } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { c2f, conv, convUnit, sppf, upsample, type Activation, type LayerContext } from "./layers.ts";
import { writeClassNames } from "./metadata.ts";
import { strides, v8Dense, v8Output, type HeadLevel } from "./tail.ts";
import { Initializer } from "./weights.ts";

export interface YoloSpec {
  readonly classes: readonly string[];
  /** Input width and height in pixels, multiples of 32. */
  readonly size: readonly [width: number, height: number];
  /** Multiplies channels; 1.0 gives 64..1024 before `maxChannels`. */
  readonly width: number;
  /** Multiplies the repeats of the C2f blocks (3, 6, 6, 3). */
  readonly depth: number;
  readonly maxChannels?: number;
  readonly activation?: Activation;
  /** Bins of the box distribution (DFL, Li 2020): sides reach (regMax - 1) strides. */
  readonly regMax?: number;
  readonly seed?: number;
}

/**
 * A YOLOv8-class detector with fresh weights: CSP backbone of C2f blocks, SPPF, PAN neck, decoupled anchor-free head with DFL.
 * `images` float32 [N, 3, H, W] -> `output0` float32 [N, 4 + classes, anchors]: cx, cy, w, h in input pixels, then class probabilities.
 */
export const yoloStudent = (spec: YoloSpec): Graph => {
  checkSpec(spec);
  const [width, height] = spec.size;
  const graph = new Graph("yolo", 17);
  const b = new Builder(graph, "yolo");
  const context: LayerContext = { b, weights: new Initializer(spec.seed ?? 0), activation: spec.activation ?? "relu" };
  const images = graph.addInput("images", "float32", ["N", 3, height, width]);
  const levels = neck(context, backbone(context, images, spec), spec);
  const output = v8Output(b, v8Dense(b, head(context, levels, spec), spec.size));
  output.name = "output0";
  graph.outputs.push(output);
  writeMetadata(graph, spec);
  return graph;
};

const checkSpec = ({ size, width, depth, classes, regMax = 16 }: YoloSpec): void => {
  if (size.some((side) => side % 32 !== 0 || side < 64)) {
    throw new UserError("STUDENT_SIZE", `A student cannot have the input size ${size.join("×")}.`, "use multiples of 32 of at least 64 for input.size.");
  }
  if (!(width > 0 && width <= 2) || !(depth > 0 && depth <= 2)) {
    throw new UserError("STUDENT_SPEC", `width ${width} and depth ${depth} must lie between 0 and 2.`, "YOLOv8n is width 0.25, depth 0.33.");
  }
  if (!Number.isInteger(regMax) || regMax < 2 || regMax > 64) {
    throw new UserError("STUDENT_SPEC", `regMax ${regMax} must be a whole number from 2 to 64.`, "YOLOv8 has 16.");
  }
  if (classes.length === 0) throw new UserError("STUDENT_CLASSES", "A student needs at least one class.", "name them under data.classes.");
};

const channels = (base: number, { width, maxChannels = 1024 }: YoloSpec): number => Math.max(8, Math.ceil((Math.min(base, maxChannels) * width) / 8) * 8);
const repeats = (base: number, { depth }: YoloSpec): number => Math.max(1, Math.round(base * depth));

/** P3, P4, P5: strides 8, 16, 32. */
const backbone = (context: LayerContext, images: Value, spec: YoloSpec): readonly [Value, Value, Value] => {
  let x = convUnit(context, images, "model.0", channels(64, spec), 3, 2);
  x = convUnit(context, x, "model.1", channels(128, spec), 3, 2);
  x = c2f(context, x, "model.2", channels(128, spec), repeats(3, spec), true);
  x = convUnit(context, x, "model.3", channels(256, spec), 3, 2);
  const p3 = c2f(context, x, "model.4", channels(256, spec), repeats(6, spec), true);
  x = convUnit(context, p3, "model.5", channels(512, spec), 3, 2);
  const p4 = c2f(context, x, "model.6", channels(512, spec), repeats(6, spec), true);
  x = convUnit(context, p4, "model.7", channels(1024, spec), 3, 2);
  x = c2f(context, x, "model.8", channels(1024, spec), repeats(3, spec), true);
  return [p3, p4, sppf(context, x, "model.9", channels(1024, spec))];
};

/** PAN (Liu 2018): top-down, then bottom-up. */
const neck = (context: LayerContext, [p3, p4, p5]: readonly [Value, Value, Value], spec: YoloSpec): readonly Value[] => {
  const { b } = context;
  const n = repeats(3, spec);
  const t4 = c2f(context, b.concat([upsample(context, p5), p4], 1), "model.12", channels(512, spec), n, false);
  const t3 = c2f(context, b.concat([upsample(context, t4), p3], 1), "model.15", channels(256, spec), n, false);
  const d4 = convUnit(context, t3, "model.16", channels(256, spec), 3, 2);
  const n4 = c2f(context, b.concat([d4, t4], 1), "model.18", channels(512, spec), n, false);
  const d5 = convUnit(context, n4, "model.19", channels(512, spec), 3, 2);
  const n5 = c2f(context, b.concat([d5, p5], 1), "model.21", channels(1024, spec), n, false);
  return [t3, n4, n5];
};

/** Decoupled head: per level two 3×3 units and a bare 1×1 for the box distribution, the same for the classes. */
const head = (context: LayerContext, levels: readonly Value[], spec: YoloSpec): readonly HeadLevel[] => {
  const regMax = spec.regMax ?? 16;
  const first = channels(256, spec);
  const boxChannels = Math.max(16, Math.ceil(first / 32) * 8, 4 * regMax);
  const classChannels = Math.max(first, Math.min(spec.classes.length, 104));
  const branch = (x: Value, name: string, inner: number, out: number, bias: number) =>
    conv(context, convUnit(context, convUnit(context, x, `${name}.0`, inner, 3), `${name}.1`, inner, 3), `${name}.2`, out, 1, 1, bias);
  return levels.map((x, level) => ({
    box: branch(x, `model.22.cv2.${level}`, boxChannels, 4 * regMax, 1),
    classes: branch(x, `model.22.cv3.${level}`, classChannels, spec.classes.length, classPrior(spec, strides[level]!)),
  }));
};

/** Bias that makes each class as rare at start as about 5 objects per picture (Ultralytics' Detect.bias_init). */
const classPrior = ({ classes, size }: YoloSpec, stride: number): number => Math.log(5 / classes.length / ((size[0] / stride) * (size[1] / stride)));

/** Ultralytics' form, so existing post-processors read names, stride and size. */
const writeMetadata = (graph: Graph, { classes, size }: YoloSpec): void => {
  graph.metadata.set("task", "detect");
  graph.metadata.set("stride", "32");
  graph.metadata.set("batch", "1");
  graph.metadata.set("imgsz", `[${size[1]}, ${size[0]}]`);
  writeClassNames(graph, classes);
};
