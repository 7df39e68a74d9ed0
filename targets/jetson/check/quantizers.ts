import type { Node, Value } from "../../../graph/node.ts";
import { isLayerOp } from "../../../graph/ops/layers.ts";
import type { Tensor } from "../../../graph/tensor.ts";

/** The Q/DQ nodes of a model as TensorRT sees them. */

export const isQuantize = ({ opType, domain }: Node): boolean => opType === "QuantizeLinear" && domain === "";
export const isDequantize = ({ opType, domain }: Node): boolean => opType === "DequantizeLinear" && domain === "";
export const isQuantizer = (node: Node): boolean => isQuantize(node) || isDequantize(node);

/** Whether the node quantizes a constant: weights or biases. */
export const isOfConstant = (node: Node): boolean => {
  const source = node.in(0);
  return source.constant !== undefined || (source.producer !== null && isQuantize(source.producer) && source.producer.in(0).constant !== undefined);
};

export const scaleOf = (node: Node): Tensor | undefined => node.optionalIn(1)?.constant;

/** The scale of a per-tensor quantizer; undefined for others. */
export const tensorScale = (node: Node): number | undefined => {
  const scale = scaleOf(node);
  return scale?.size === 1 ? scale.toNumbers()[0] : undefined;
};


/** Ops whose result does not depend on whether a pair stands before or behind them: TensorRT moves Q up and DQ down through them. */
const moved: ReadonlySet<string> = new Set(["Concat", "MaxPool", "Split", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity", "DepthToSpace", "SpaceToDepth"]);

export const commutes = (node: Node): boolean =>
  node.domain === "" && (moved.has(node.opType) || (node.opType === "Resize" && node.string("mode", "nearest") === "nearest"));

const dataInputs = (node: Node): readonly Value[] =>
  node.opType === "Concat" ? node.inputs.filter((input): input is Value => input !== null) : node.inputs.slice(0, 1).filter((input): input is Value => input !== null);

/** Where `value` comes from, seen through the ops that `passes` lets through: values that another op made, or none did. */
const sourcesThrough = (value: Value, passes: (node: Node) => boolean): readonly Value[] => {
  const ends: Value[] = [];
  const seen = new Set([value]);
  for (const some of seen) {
    if (some.producer && passes(some.producer)) for (const input of dataInputs(some.producer)) seen.add(input);
    else ends.push(some);
  }
  return ends;
};

/** The DequantizeLinear nodes whose int8 values `value` holds; undefined as soon as one branch is float. */
export const dequantizersOf = (value: Value): readonly Node[] | undefined => {
  const makers = sourcesThrough(value, commutes).map(({ producer }) => producer);
  return makers.every((node) => node !== null && isDequantize(node)) ? (makers as readonly Node[]) : undefined;
};

export const isInt8 = (value: Value | undefined): boolean => value !== undefined && dequantizersOf(value) !== undefined;

/** Whether weights (or a second activation) of a layer come as int8. */
export const hasInt8Weight = (layer: Node): boolean => isInt8(layer.optionalIn(1));

/** A layer that TensorRT runs in int8: both of its inputs are. */
export const isInt8Layer = (node: Node): boolean => isLayerOp(node) && isInt8(node.in(0)) && hasInt8Weight(node);

/** Readers of `value`, seen through ops that a pair moves through. */
export const readersThrough = (value: Value, except?: Node): readonly Node[] => {
  const readers = new Set<Node>();
  const seen = new Set([value]);
  for (const some of seen) {
    for (const node of some.readers) {
      if (node === except) continue;
      if (commutes(node)) for (const output of node.outputs) seen.add(output);
      else readers.add(node);
    }
  }
  return [...readers];
};

/** Scales of the quantizers that read `value`, ops that a pair moves through in between. */
export const scalesBehind = (value: Value, except?: Node): readonly number[] =>
  readersThrough(value, except).filter(isQuantize).map(tensorScale).filter((scale): scale is number => scale !== undefined);

const activations: ReadonlySet<string> = new Set(["Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Selu", "Softplus", "Mish", "BatchNormalization"]);
export const isActivation = ({ opType, domain }: Node): boolean => domain === "" && activations.has(opType);

/** x·sigmoid(x): the gate's factor and the source have one value in common. */
export const isGate = (mul: Node): boolean =>
  mul.opType === "Mul" && mul.inputs.some((input) => {
    const gate = input?.producer;
    return (gate?.opType === "Sigmoid" || gate?.opType === "HardSigmoid") && mul.inputs.includes(gate.in(0));
  });

/** The int8 layer that writes `value`, its activation fused and no other reader in between; undefined where there is none. */
export const fusedLayer = (value: Value, readers = 1): Node | undefined => {
  const node = value.producer;
  if (!node || value.readers.length !== readers) return undefined;
  if (isInt8Layer(node)) return node;
  if (isGate(node)) {
    const source = node.inputs.find((input) => node.inputs.some((other) => other?.producer?.inputs[0] === input));
    return source ? fusedLayer(source, 2) : undefined;
  }
  return isActivation(node) ? fusedLayer(node.in(0)) : undefined;
};

/** First layers read the picture, whose few channels no kernel minds. */
export const readsPicture = (value: Value): boolean =>
  sourcesThrough(value, (node) => isQuantizer(node) || commutes(node) || node.opType === "Cast").every(({ producer, tensor }) => producer === null && tensor === undefined);
