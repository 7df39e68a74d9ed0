import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";

/** Something that TensorRT refuses or runs badly. */
export interface TensorrtFinding {
  readonly node: string;
  readonly opType: string;
  readonly finding: string;
}

const integerOps = "is ONNX Runtime's integer form; TensorRT wants QuantizeLinear/DequantizeLinear around the float op";

/** Ops without a TensorRT importer, each with what to do. */
const unsupported: Readonly<Record<string, string>> = {
  QLinearConv: integerOps, QLinearMatMul: integerOps, ConvInteger: integerOps, MatMulInteger: integerOps,
  DynamicQuantizeLinear: "quantizes at run time, which TensorRT does not; calibrate statically",
  Unique: "has no TensorRT importer", StringNormalizer: "has no TensorRT importer", TfIdfVectorizer: "has no TensorRT importer", Bernoulli: "has no TensorRT importer",
  Multinomial: "has no TensorRT importer", SequenceAt: "sequences have no TensorRT importer", SequenceConstruct: "sequences have no TensorRT importer", Optional: "has no TensorRT importer",
};

/** What TensorRT's ONNX parser (8.6 to 10) would stumble over; empty where nothing is known. */
export const tensorrtFindings = (graph: Graph): TensorrtFinding[] => {
  const inputs = graph.inputs.flatMap(({ name, dtype, shape }): TensorrtFinding[] => {
    const dynamic = shape?.slice(1).some((dim) => typeof dim !== "number") ?? false;
    return [
      ...(dtype === "float64" || dtype === "uint8" || dtype === "string" ? [{ node: name, opType: "input", finding: `has type ${dtype}; TensorRT takes float32, float16, int32, int64 and bool` }] : []),
      ...(dynamic ? [{ node: name, opType: "input", finding: "has a dynamic size: the engine needs an optimization profile" }] : []),
    ];
  });
  return [...inputs, ...graph.sorted().flatMap((node) => nodeFindings(node).map((finding) => ({ node: node.name, opType: node.opType, finding })))];
};

const nodeFindings = (node: Node): string[] => {
  if (node.domain !== "") return [`is of domain ${node.domain}: needs a plugin`];
  const known = unsupported[node.opType];
  if (known !== undefined) return [known];
  if (node.opType !== "QuantizeLinear") return [];
  const zeroPoint = node.optionalIn(2)?.constant;
  if (!zeroPoint || zeroPoint.dtype === "uint8") return ["quantizes to uint8; TensorRT takes int8"];
  return zeroPoint.toNumbers().some((value) => value !== 0) ? ["has a zero point other than 0; TensorRT quantizes symmetrically"] : [];
};
