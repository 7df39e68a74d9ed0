import type { Node, Value } from "../../../graph/node.ts";
import type { DataType } from "../../../graph/tensor.ts";
import { atLeast, perNode, type CheckedModel, type Hit, type Rule, type TensorrtVersion } from "./finding.ts";
import { imported, restrictions } from "./importers.ts";
import { isQuantizer } from "./quantizers.ts";
import { sources } from "./sources.ts";

/** Newest ai.onnx opset by TensorRT release, newest first. */
const newestOpset: readonly (readonly [major: number, minor: number, opset: number])[] = [[11, 0, 25], [10, 15, 24], [10, 0, 20], [9, 2, 19], [8, 4, 17], [8, 0, 13]];

const newestOpsetOf = (version: TensorrtVersion): number => newestOpset.find(([major, minor]) => atLeast(version, major, minor))?.[2] ?? 11;

const dataDependent: ReadonlySet<string> = new Set(["NonMaxSuppression", "NonZero"]);
const controlFlow: ReadonlySet<string> = new Set(["If", "Loop", "Scan"]);
const refusedTypes: ReadonlySet<DataType> = new Set(["string", "complex64", "complex128", "uint16", "uint32", "uint64", "int16"]);

/** What the ONNX parser takes, and what the builder makes of shapes. */
export const parserRules = {
  opset: {
    severity: "error", source: sources.opsets, change: "export with opset 17, which every TensorRT since 8.4 reads.",
    find: opsetHits,
  },
  "unsupported-op": {
    severity: "error", source: sources.operators, change: "replace the op, leave it outside the model, or write a plug-in.",
    find: perNode(({ opType, domain }) => (domain !== "" || imported.has(opType) || /^QLinear|^(ConvInteger|MatMulInteger|DynamicQuantizeLinear)$/.test(opType) ? undefined : "has no TensorRT importer")),
  },
  "op-restriction": {
    severity: "error", source: sources.operators, change: "export the op in a form that the table in docs/operators.md allows.",
    find: perNode((node) => (node.domain === "" && Object.hasOwn(restrictions, node.opType) ? restrictions[node.opType]!(node) : undefined)),
  },
  plugin: {
    severity: "error", source: sources.operators, change: "build the plug-in for the device and pass it with --staticPlugins (--plugins before 8.6), or export without the op.",
    find: ({ nodes }) => nodes.filter(({ domain, opType }) => domain !== "" && !/^(QGemm|QAttention|QLinear.*)$/.test(opType)).map(pluginHit),
  },
  "data-dependent": {
    severity: "slow", source: sources.shapes, change: "take it out of the model and do it on the CPU (Edgestill's own decoding does), or use the plug-in EfficientNMS_TRT.",
    find: perNode(({ opType, domain }) => (domain === "" && dataDependent.has(opType) ? "has an output whose size depends on the data: no CUDA graph, no DLA, a synchronisation every run" : undefined)),
  },
  "control-flow": {
    severity: "slow", source: sources.operators, change: "unroll the loop or export one branch.",
    find: perNode(({ opType, domain }) => (domain === "" && controlFlow.has(opType) ? "is control flow: int8 and fusion end at its body" : undefined)),
  },
  "dynamic-shape": {
    severity: "slow", source: sources.shapes, change: "fix the size at export, or give --minShapes, --optShapes and --maxShapes.",
    find: ({ graph }) => graph.inputs.filter(({ tensor }) => !tensor).flatMap(dynamicShape),
  },
  int64: {
    severity: "note", source: sources.operators, change: "nothing where the values fit 31 bits; else export the constant as int32.",
    find: int64Hits,
  },
  "element-type": {
    severity: "error", source: sources.operators, change: "cast to float32, float16, int32, int64 or bool.",
    find: elementTypes,
  },
  "layer-name": {
    severity: "note", source: sources.profile, change: "rename the node, without quotes and backslashes.",
    find: perNode(({ name }) => (/["\\]/.test(name) ? "has a quote or backslash in its name, which breaks trtexec's exported profile" : undefined)),
  },
} satisfies Record<string, Rule>;

function opsetHits({ graph, nodes, version }: CheckedModel): Hit[] {
  if (nodes.length === 0) return [];
  const { opset } = graph;
  const hit = (finding: string, severity?: Hit["severity"]): Hit[] => [{ at: "model", finding, ...(severity && { severity }) }];
  const newest = version ? newestOpsetOf(version) : newestOpset[0]![2];
  if (opset > newest) return hit(`is opset ${opset}; TensorRT ${version ? `${version.major}.${version.minor}` : "11"} reads up to ${newest}`);
  if (opset < 7) return hit(`is opset ${opset}; TensorRT reads 7 or later`);
  if (opset < 9) return hit(`is opset ${opset}; TensorRT 10 and later support 9 and up`, version && version.major < 10 ? "note" : "slow");
  return !version && opset > 17 ? hit(`is opset ${opset}: TensorRT 8 reads up to 17, 10.0 to 10.14 up to 20`, "note") : [];
}

const pluginHit = (node: Node): Hit => {
  if (/_TRT$|^TRT/.test(node.opType) || node.domain.startsWith("trt")) {
    return { at: node, severity: "note", finding: `is a TensorRT plug-in (${node.domain}): only TensorRT runs this model`, change: "check that the device's libnvinfer_plugin holds it; several are deprecated since 10.0." };
  }
  const isQuantize = node.opType === "QuantizeLinear" || node.opType === "DequantizeLinear";
  return { at: node, finding: isQuantize ? `is of domain ${node.domain}, which TensorRT's parser does not know; the standard op exists` : `is of domain ${node.domain}: needs a plug-in` };
};

const dynamicShape = (input: Value): Hit[] => {
  if (!input.shape) return [{ at: input, severity: "error", finding: "has no rank" }];
  if (input.shape.slice(1).some((dim) => typeof dim !== "number")) return [{ at: input, finding: `has a dynamic size [${input.shape.join(", ")}]: the engine needs an optimization profile and tunes for one size of it` }];
  return typeof input.shape[0] === "string"
    ? [{ at: input, severity: "note", finding: "has a dynamic batch", change: "give --shapes with the batch; `edgestill bench` does." }] : [];
};

const int32 = (value: number): boolean => value >= -(2 ** 31) && value < 2 ** 31;
/** Ends of slices use INT64_MAX for "to the end": clamped without harm. */
const isExtreme = (value: number): boolean => Math.abs(value) >= 2 ** 63 - 1024;

function int64Hits({ graph, nodes, version }: CheckedModel): Hit[] {
  if (version && version.major >= 10) return [];
  const wide = nodes.flatMap((node): Hit[] => {
    const tensor = node.inputs.find((input) => input?.constant?.dtype === "int64" && input.constant.toNumbers().some((value) => !int32(value) && !isExtreme(value)));
    return tensor ? [{ at: node, severity: version ? "error" : "slow", finding: `reads int64 values beyond 32 bits from "${tensor.name}", which TensorRT 8 clamps` }] : [];
  });
  const ports = graph.inputs.filter(({ dtype, tensor }) => dtype === "int64" && !tensor);
  return [...wide, ...ports.map((input): Hit => ({ at: input, finding: "has type int64: TensorRT 8 makes it int32", change: "feed int32 on TensorRT 8." }))];
}

function elementTypes({ graph, nodes }: CheckedModel): Hit[] {
  const inputs = graph.inputs.flatMap((input): Hit[] => {
    if (input.dtype && refusedTypes.has(input.dtype)) return [{ at: input, finding: `has type ${input.dtype}` }];
    if (input.dtype === "float64") return [{ at: input, severity: "note", finding: "has type float64, which TensorRT narrows to float32" }];
    return input.dtype === "uint8" && !input.readers.every(({ opType }) => opType === "Cast") ? [{ at: input, finding: "has type uint8, which only a Cast may read" }] : [];
  });
  return [...inputs, ...nodes.flatMap((node): Hit[] => {
    if (isQuantizer(node)) return [];
    const types = [...node.inputs, ...node.outputs].map((value) => value?.dtype);
    const refused = types.find((type) => type && refusedTypes.has(type));
    if (refused) return [{ at: node, finding: `computes in ${refused}` }];
    return node.outputs.some(({ dtype }) => dtype === "float64") ? [{ at: node, severity: "note", finding: "computes in float64, which TensorRT narrows to float32" }] : [];
  })];
}
