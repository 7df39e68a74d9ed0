import type { Node, Value } from "../../../graph/node.ts";
import { isLayerOp } from "../../../graph/ops/layers.ts";
import { perNode, type Rule } from "./finding.ts";
import { commutes, dequantizersOf, fusedLayer, hasInt8Weight, isActivation, isDequantize, isGate, isInt8, isOfConstant, isQuantize, readersThrough, scalesBehind, tensorScale } from "./quantizers.ts";
import { sources } from "./sources.ts";

/** Where Q/DQ pairs stand, so that TensorRT fuses and moves int8 instead of converting to and fro. */
export const placementRules = {
  "half-quantized": {
    severity: "slow", source: sources.explicit, change: "put Q/DQ on both inputs of the layer, data and weights, or on neither.",
    find: perNode((node) => {
      if (!isLayerOp(node) || isInt8(node.in(0)) === hasInt8Weight(node)) return undefined;
      return isInt8(node.in(0)) ? "has int8 data but float weights, so it runs in float" : "has int8 weights but float data, so it runs in float";
    }),
  },
  "inside-activation": {
    severity: "slow", source: sources.placement, change: "move the pair behind the activation: layer, activation, Q, DQ.",
    find: perNode((node) => {
      const source = isQuantize(node) && !isOfConstant(node) ? node.in(0).producer : null;
      if (!source) return undefined;
      const behind = dequantized(node).flatMap((value) => value.readers);
      if (isLayerOp(source) && behind.some((reader) => isActivation(reader) || isGate(reader))) return `separates ${source.opType} "${source.name}" from its activation, which would fuse`;
      return ["Sigmoid", "HardSigmoid"].includes(source.opType) && behind.some(({ opType }) => opType === "Mul") ? `cuts through x·${source.opType.toLowerCase()}(x), which would fuse` : undefined;
    }),
  },
  "residual-add": {
    severity: "slow", source: sources.placement, change: "quantize the skip input alone and leave the branch that comes from the layer as it is: then layer, Add and activation fuse.",
    find: perNode(residualProblem),
  },
  "concat-scales": {
    severity: "slow", source: sources.placement, change: "give all inputs of the Concat, and its output, one scale.",
    find: perNode((node) => {
      if (node.opType !== "Concat" || node.domain !== "") return undefined;
      const behind = scalesBehind(node.out());
      const inputs = node.inputs.filter((input): input is Value => input !== null && !input.constant);
      if (behind.length === 0 && !inputs.every(isInt8)) return undefined;
      const scales = new Set([...behind, ...inputs.flatMap((input) => [...scalesBehind(input, node), ...(dequantizersOf(input) ?? []).map(tensorScale)])]);
      return scales.size > 1 ? `joins values of ${scales.size} scales (${list(scales)}), so all but one are requantized` : undefined;
    }),
  },
  "two-scales": {
    severity: "slow", source: sources.placement, change: "quantize the value once and let all readers share the pair.",
    find: ({ graph, nodes }) => [...graph.inputs, ...nodes.flatMap((node) => node.outputs)].flatMap((value) => {
      const scales = new Set(value.readers.filter(isQuantize).map(tensorScale));
      return scales.size > 1 ? [{ at: value.producer ?? value, finding: `is quantized with ${scales.size} scales (${list(scales)})` }] : [];
    }),
  },
  requantize: {
    severity: "slow", source: sources.explicit, change: "use one scale on both sides, or drop the second pair.",
    find: perNode((node) => {
      if (!isQuantize(node) || isOfConstant(node)) return undefined;
      const other = dequantizersOf(node.in(0))?.map(tensorScale).find((scale) => scale !== tensorScale(node));
      return other === undefined ? undefined : `requantizes int8 values of scale ${short(other)} to ${short(tensorScale(node))}`;
    }),
  },
  "idle-pair": {
    severity: "slow", source: sources.placement, change: "remove the pair: it costs accuracy and two conversions and no op behind it runs in int8.",
    find: perNode((node) => {
      if (!isDequantize(node) || isOfConstant(node)) return undefined;
      const readers = readersThrough(node.out());
      return readers.some((reader) => isLayerOp(reader) || isQuantize(reader) || worksInInt8(reader)) ? undefined
        : `feeds no op that runs in int8 (${[...new Set(readers.map(({ opType }) => opType))].join(", ") || "only outputs"})`;
    }),
  },
  "float-output": {
    severity: "slow", source: sources.explicit, change: "quantize its output too, or leave its inputs float.",
    find: perNode((node) => (bothSides.has(node.opType) && node.domain === "" && !isGate(node) && activationInputs(node).every(isInt8)
      && !node.outputs.some((output) => readersThrough(output).some(isQuantize)) ? "has int8 inputs and a float output, so it runs in float" : undefined)),
  },
} satisfies Record<string, Rule>;

/** Ops with an int8 form that needs int8 on both sides. */
const bothSides: ReadonlySet<string> = new Set(["AveragePool", "GlobalAveragePool", "Mul", "Add"]);
const worksInInt8 = ({ opType, domain }: Node): boolean => domain === "" && bothSides.has(opType);

const activationInputs = (node: Node): Value[] => node.inputs.filter((input): input is Value => input !== null && !input.constant);

/** What the DequantizeLinear nodes behind a quantizer write. */
const dequantized = (quantize: Node): Value[] => quantize.out().readers.filter(isDequantize).map((node) => node.out());

function residualProblem(add: Node): string | undefined {
  if (add.opType !== "Add" || add.domain !== "" || add.inputs.some((input) => !input || input.constant)) return undefined;
  const sides = [add.in(0), add.in(1)].map((value) => ({ layer: fusedLayer(value), quantized: isInt8(value), behindPair: layerBehindPair(value) }));
  const [a, b] = sides as [typeof sides[0], typeof sides[0]];
  if (a.quantized && b.quantized) return a.behindPair ?? b.behindPair ? `has a pair on both inputs, so it does not fuse with ${named(a.behindPair ?? b.behindPair)}` : undefined;
  const layer = a.layer ?? b.layer;
  if (layer) return (a.layer && b.quantized) || (b.layer && a.quantized) ? undefined : `has a float skip input, so ${named(layer)} writes float`;
  const wrong = a.behindPair ?? b.behindPair;
  return wrong && !wrong.out().readers.every(commutes) ? `has its pair on the branch of ${named(wrong)} instead of on the skip input` : undefined;
}

/** The int8 layer whose result goes through a pair of its own into `value`. */
const layerBehindPair = (value: Value): Node | undefined => {
  const quantize = value.producer && isDequantize(value.producer) ? value.producer.in(0).producer : null;
  return quantize && isQuantize(quantize) ? fusedLayer(quantize.in(0)) : undefined;
};

const named = (node: Node | undefined): string => (node ? `${node.opType} "${node.name}"` : "a layer");
const short = (value: number | undefined): string => (value === undefined ? "per channel" : Number(value.toPrecision(3)).toString());
const list = (scales: ReadonlySet<number | undefined>): string => [...scales].slice(0, 4).map(short).join(", ");

