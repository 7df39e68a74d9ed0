import type { Node } from "../../../graph/node.ts";
import { atLeast, type Hit, type Rule } from "./finding.ts";
import { isQuantize, isQuantizer } from "./quantizers.ts";
import { sources } from "./sources.ts";

/** Ops that Orin's DLA runs through TensorRT. */
const native: ReadonlySet<string> = new Set(
  `Abs Add AveragePool BatchNormalization Clip Concat Constant Conv ConvTranspose Cos DequantizeLinear Equal Gemm Identity LeakyRelu LRN MatMul Max MaxPool Mul PRelu
  QuantizeLinear Relu Reshape Flatten Squeeze Unsqueeze Resize Sigmoid Slice Split Softmax Sub Sum Tanh Transpose Upsample Shape ConstantOfShape`.split(/\s+/));

const largestKernel = 32;
const largestDim = 8192;
const largestBatch = 4096;

/** What a DLA core leaves to the GPU, node by node; only counted unless a DLA is asked for. */
export const dlaRules = {
  "dla-fallback": {
    severity: "slow", source: sources.dla, change: "replace the op, or accept --allowGPUFallback: every change between DLA and GPU copies its tensors.",
    find: (model) => {
      const hits = model.nodes.flatMap((node): Hit[] => {
        const reason = fallback(node);
        return reason === undefined ? [] : [{ at: node, finding: reason }];
      });
      if (model.dla || hits.length === 0) return hits;
      const ops = [...new Set(hits.map(({ at }) => (at as Node).opType))].slice(0, 8).join(", ");
      return [{ at: "model", severity: "note", finding: `leaves ${hits.length} of ${model.nodes.length} nodes to the GPU on a DLA (${ops})`, change: "matters only for --dla; `edgestill inspect --dla` lists the nodes." }];
    },
  },
  "dla-quantization": {
    severity: "error", source: sources.dla, change: "use TensorRT 11.4 or later (JetPack 7.2.2), or run on the GPU.",
    find: ({ nodes, dla, version }) => (dla && nodes.some(isQuantize) && !(version && atLeast(version, 11, 4))
      ? [{ at: nodes.find(isQuantize)!, finding: "is explicit quantization, which the DLA takes since TensorRT 11.4 only" }] : []),
  },
  "dla-shape": {
    severity: "error", source: sources.dla, change: "fix all sizes at export.",
    find: ({ graph, dla }) => (dla ? graph.inputs.filter(({ tensor, shape }) => !tensor && !shape?.every((dim) => typeof dim === "number")).map((at) => ({ at, finding: "has a dynamic size, which a DLA does not take" })) : []),
  },
} satisfies Record<string, Rule>;

const fallback = (node: Node): string | undefined => {
  if (node.domain !== "" || !native.has(node.opType)) return "has no DLA form";
  if (isQuantizer(node)) return undefined;
  if (node.opType === "Resize" && node.string("mode", "nearest") !== "nearest") return "is a Resize other than nearest";
  if (node.opType === "MatMul" && !node.in(1).constant && !(node.in(1).producer && isQuantizer(node.in(1).producer!))) return "multiplies two activations";
  if (["Conv", "ConvTranspose"].includes(node.opType) && node.in(1).staticShape?.slice(2).some((size) => size > largestKernel)) return `has a kernel larger than ${largestKernel}`;
  if (node.opType === "Slice" && node.optionalIn(4)?.constant?.toNumbers().some((step) => step !== 1)) return "is a strided Slice";
  const shape = node.outputs[0]?.staticShape;
  if (shape && ((shape[0] ?? 1) > largestBatch || shape.slice(1).some((dim) => dim > largestDim))) return `has a dimension above ${largestDim}`;
  return shape && shape.length > 4 ? `is ${shape.length}-dimensional` : undefined;
};

