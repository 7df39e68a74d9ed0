import type { Graph } from "../../../graph/graph.ts";
import { isLayerOp } from "../../../graph/ops/layers.ts";
import type { Node } from "../../../graph/node.ts";
import { elementCount } from "../../../graph/tensor.ts";
import { perNode, type CheckedModel, type Hit, type Rule } from "./finding.ts";
import { isInt8Layer, isQuantizer, readsPicture } from "./quantizers.ts";
import { sources } from "./sources.ts";

/** Which layers really run in int8, and whether int8 can gain there. */
export const precisionRules = {
  "no-quantization": {
    severity: "note", source: sources.explicit, change: "`edgestill quantize --scheme tensorrt` writes the file for int8; fp16 needs no quantization.",
    find: ({ nodes }) => (nodes.some(isLayerOp) && !nodes.some(isQuantizer) && !nodes.some(({ opType }) => opType.startsWith("QLinear")) ? [{ at: "model", finding: "has no Q/DQ: TensorRT runs it in fp32 or fp16, not in int8" }] : []),
  },
  "float-layer": {
    severity: "slow", source: sources.explicit, change: "quantize the layer, or measure that int8 there costs accuracy and keep it on purpose (`--keep-float`).",
    find: floatLayers,
  },
  "float-rest": {
    severity: "note", source: sources.typing, change: "TensorRT 8 and 10: pass --fp16 beside --int8. TensorRT 11: type the rest float16. `edgestill bench` does both.",
    find: floatRest,
  },
  "small-layer": {
    severity: "slow", source: sources.placement, change: "leave the layer float: converting to and from int8 costs more than the products save.",
    find: perNode((node) => {
      if (!isInt8Layer(node) || isWorthwhile(node)) return undefined;
      return isVectorProduct(node) ? "multiplies by a vector in int8" : `is int8 with weights of only [${node.in(1).shape!.join(", ")}]`;
    }),
  },
  "channel-alignment": {
    severity: "note", source: sources.formats, change: "prune to multiples of 16 (32 is best): `prune.round: 16`.",
    find: ({ nodes }) => nodes.filter(isInt8Layer).flatMap(alignment),
  },
} satisfies Record<string, Rule>;

/** Metadata of Edgestill's own files, a name a line: layers left float on purpose, because int8 there costs accuracy. */
const floatLayersKey = "edgestill.float";

const leftOnPurpose = ({ metadata }: Graph): ReadonlySet<string> => new Set(metadata.get(floatLayersKey)?.split("\n"));

/** Float layers that an int8 layer depends on: they cut the int8 path. */
function floatLayers({ graph, nodes }: CheckedModel): Hit[] {
  const before = feedingInt8(nodes);
  const kept = leftOnPurpose(graph);
  return nodes.filter((node) => isLayerOp(node) && before.has(node) && !isInt8Layer(node) && !halfQuantized(node) && node.optionalIn(1)?.constant !== undefined && isWorthwhile(node))
    .map((node) => (kept.has(node.name)
      ? { at: node, severity: "note", finding: "was left float on purpose in the middle of the int8 path, for accuracy" }
      : { at: node, finding: "runs in float in the middle of the int8 path" }));
}

const halfQuantized = (node: Node): boolean => [0, 1].some((slot) => node.optionalIn(slot)?.producer && isQuantizer(node.in(slot).producer!));

const feedingInt8 = (nodes: readonly Node[]): ReadonlySet<Node> => {
  const found = new Set<Node>();
  for (const node of [...nodes].reverse()) {
    if (node.outputs.some((output) => output.readers.some((reader) => found.has(reader) || isInt8Layer(reader)))) found.add(node);
  }
  return found;
};

function floatRest({ nodes, version }: CheckedModel): Hit[] {
  const quantized = nodes.filter(isInt8Layer);
  const rest = nodes.filter((node) => isLayerOp(node) && !isInt8Layer(node) && node.out().dtype === "float32");
  const typed = version !== undefined && version.major >= 11;
  if (rest.length === 0 || (quantized.length === 0 && !typed)) return [];
  const share = sum(rest) / Math.max(1, sum(rest) + sum(quantized));
  const what = `is the first of ${rest.length} float32 layers with ${(100 * share).toFixed(share < 0.1 ? 1 : 0)} % of the multiplications`;
  return [{ at: rest[0]!, severity: typed && share > 0.01 ? "slow" : "note", finding: typed ? `${what}, which TensorRT 11 runs so` : `${what}, which run in fp32 unless fp16 is allowed` }];
}

const sum = (layers: readonly Node[]): number => layers.reduce((total, node) => total + macs(node), 0);

/** Multiply-accumulates of a layer of static shapes; 0 where they are not known. */
const macs = (node: Node): number => {
  const weights = node.optionalIn(1)?.staticShape;
  const shape = (node.opType === "ConvTranspose" ? node.in(0) : node.out()).shape?.map((dim, axis) => (axis === 0 && typeof dim === "string" ? 1 : dim));
  if (!weights || !shape?.every((dim) => typeof dim === "number")) return 0;
  const perElement = node.opType === "MatMul" ? weights.at(-2) : node.opType === "Gemm" ? weights[node.int("transB", 0) === 1 ? 1 : 0] : elementCount(weights.slice(1));
  return elementCount(shape) * (perElement ?? 0);
};

/** A matrix times a vector: int8 does not gain there. */
const isVectorProduct = (node: Node): boolean => {
  if (node.opType !== "MatMul" && node.opType !== "Gemm") return false;
  return node.in(0).shape?.at(node.int("transA", 0) === 1 ? -1 : -2) === 1 || node.in(1).shape?.at(node.int("transB", 0) === 1 ? -2 : -1) === 1;
};

/** Model Optimizer's test for convolutions: 16 channels, or a multiple of 8 beside the picture or a wide side, or a grouped kernel of 3 or more. */
const isWorthwhile = (node: Node): boolean => {
  if (node.opType === "MatMul" || node.opType === "Gemm") return !isVectorProduct(node);
  if (node.opType === "ConvTranspose") return node.int("group", 1) === 1;
  const shape = node.in(1).staticShape;
  if (!shape) return true;
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  if (outputs >= 16 && inputs >= 16) return true;
  if (node.int("group", 1) > 1) return outputs % 8 === 0 && kernel.every((size) => size >= 3);
  return kernel.every((size) => size === kernel[0]) && (inputs % 8 === 0 || outputs % 8 === 0) && (readsPicture(node.in(0)) || inputs >= 16 || outputs >= 16);
};

function alignment(node: Node): Hit[] {
  const shape = node.opType === "Conv" ? node.in(1).staticShape : undefined;
  if (!shape) return [];
  const group = node.int("group", 1);
  const inputs = readsPicture(node.in(0)) ? [] : [shape[1]! * group];
  const odd = [...inputs, shape[0]!].filter((channels) => channels % 16 !== 0);
  if (odd.length === 0) return [];
  const finding = `has ${odd.join(" and ")} channels, padded to ${odd.map((channels) => 16 * Math.ceil(channels / 16)).join(" and ")}`;
  return [{ at: node, finding, severity: odd.some((channels) => channels % 8 !== 0) ? "slow" : "note" }];
}
