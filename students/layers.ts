import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Initializer } from "./weights.ts";

export type Activation = "relu" | "silu";

/** What every layer builder needs: where nodes go, where weights come from, the activation between layers. */
export interface LayerContext {
  readonly b: Builder;
  readonly weights: Initializer;
  readonly activation: Activation;
}

/** Channels of an [N, C, H, W] value. */
export const channelsOf = (x: Value): number => {
  const channels = x.shape?.[1];
  if (typeof channels !== "number") throw new Error(`bug: "${x.name}" has no static channel count`);
  return channels;
};

export const activate = ({ b, activation }: LayerContext, x: Value): Value => (activation === "relu" ? b.op("Relu", [x]) : b.silu(x));

/** Convolution with bias, no normalization: [N, C, H, W] -> [N, channels, H/stride, W/stride]. */
export const conv = ({ b, weights }: LayerContext, x: Value, name: string, channels: number, kernel = 1, stride = 1, bias = 0): Value => {
  const weight = b.graph.addInitializer(`${name}.weight`, weights.kaimingUniform([channels, channelsOf(x), kernel, kernel]));
  const offset = b.graph.addInitializer(`${name}.bias`, weights.fill([channels], bias));
  const pad = (kernel - 1) >> 1;
  return b.op("Conv", [x, weight, offset], { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], dilations: [1, 1], group: 1 });
};

/** Conv + BatchNormalization + activation, the building block of YOLO networks. */
export const convUnit = (context: LayerContext, x: Value, name: string, channels: number, kernel = 1, stride = 1): Value => {
  const { b, weights } = context;
  const weight = b.graph.addInitializer(`${name}.conv.weight`, weights.kaimingUniform([channels, channelsOf(x), kernel, kernel]));
  const pad = (kernel - 1) >> 1;
  const y = b.op("Conv", [x, weight], { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], dilations: [1, 1], group: 1 });
  const parameter = (part: string, value: number) => b.graph.addInitializer(`${name}.bn.${part}`, weights.fill([channels], value));
  const normalized = b.op("BatchNormalization",
    [y, parameter("weight", 1), parameter("bias", 0), parameter("running_mean", 0), parameter("running_var", 1)], { epsilon: 1e-3, momentum: 0.97 });
  return activate(context, normalized);
};

/** C2f (YOLOv8): split, `repeats` bottlenecks of two 3×3 units each, concat of all parts, 1×1. */
export const c2f = (context: LayerContext, x: Value, name: string, channels: number, repeats: number, shortcut: boolean): Value => {
  const { b } = context;
  const half = channels / 2;
  const parts = [...b.split(convUnit(context, x, `${name}.cv1`, channels), [half, half], 1)];
  for (let i = 0; i < repeats; i++) {
    const input = parts[parts.length - 1]!;
    const inner = convUnit(context, convUnit(context, input, `${name}.m.${i}.cv1`, half, 3), `${name}.m.${i}.cv2`, half, 3);
    parts.push(shortcut ? b.add(input, inner) : inner);
  }
  return convUnit(context, b.concat(parts, 1), `${name}.cv2`, channels);
};

/** SPPF (YOLOv5): three chained 5×5 max pools, concatenated with their input. */
export const sppf = (context: LayerContext, x: Value, name: string, channels: number): Value => {
  const { b } = context;
  const parts = [convUnit(context, x, `${name}.cv1`, channels / 2)];
  for (let i = 0; i < 3; i++) parts.push(b.op("MaxPool", [parts[i]!], { kernel_shape: [5, 5], strides: [1, 1], pads: [2, 2, 2, 2] }));
  return convUnit(context, b.concat(parts, 1), `${name}.cv2`, channels);
};

/** Nearest-neighbour upsampling by two. */
export const upsample = ({ b }: LayerContext, x: Value): Value => {
  const scales = b.constant(tensorOf([1, 1, 2, 2]));
  return b.op("Resize", [x, null, scales], { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" });
};

const tensorOf = (values: readonly number[]): Tensor => Tensor.float32([values.length], values);
