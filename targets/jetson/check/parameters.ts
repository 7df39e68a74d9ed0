import type { Node } from "../../../graph/node.ts";
import { isLayerOp, weightAxesOf } from "../../../graph/ops/layers.ts";
import { perNode, type Hit, type Rule } from "./finding.ts";
import { isDequantize, isOfConstant, isQuantize, isQuantizer, scaleOf } from "./quantizers.ts";
import { sources } from "./sources.ts";

/** INT8 of onnx.proto's TensorProto.DataType. */
const int8Code = 3;

/** What each Q/DQ node must be by itself. */
export const parameterRules = {
  "zero-point": {
    severity: "error", source: sources.importer, change: "quantize symmetrically: `edgestill quantize --scheme tensorrt`.",
    find: perNode((node) => {
      const zeroPoint = isQuantizer(node) ? node.optionalIn(2)?.constant : undefined;
      return zeroPoint?.dtype === "int8" && zeroPoint.toNumbers().some((value) => value !== 0) ? "has a zero point other than 0; TensorRT quantizes symmetrically" : undefined;
    }),
  },
  "zero-point-type": {
    severity: "error", source: sources.importer, change: "write an explicit int8 zero point of 0: `edgestill quantize --scheme tensorrt`.",
    find: perNode(zeroPointType),
  },
  scale: {
    severity: "error", source: sources.operators, change: "make scale and zero point initializers of one size, with positive finite scales.",
    find: perNode(scaleProblem),
  },
  "per-channel-activation": {
    severity: "error", source: sources.explicit, change: "give the activation one scale; only weights have a scale per channel.",
    find: perNode((node) => (isQuantizer(node) && !isOfConstant(node) && (scaleOf(node)?.size ?? 1) > 1 ? `quantizes an activation with ${scaleOf(node)!.size} scales` : undefined)),
  },
  "weight-axis": {
    severity: "error", source: sources.explicit, change: "quantize weights per output channel: Conv axis 0, ConvTranspose axis 1, Gemm and MatMul the column axis.",
    find: ({ nodes }) => nodes.filter(isLayerOp).flatMap(weightAxisProblem),
  },
  "per-tensor-weight": {
    severity: "note", source: sources.explicit, change: "quantize weights per output channel: it costs nothing and keeps accuracy.",
    find: perNode((node) => (isLayerOp(node) && weightQuantizer(node) && scaleOf(weightQuantizer(node)!)?.size === 1 && channels(node)! > 1 ? "has one scale for all output channels" : undefined)),
  },
  "quantized-bias": {
    severity: "error", source: sources.bias, change: "keep the bias float32 without Q/DQ; TensorRT quantizes it itself.",
    find: perNode((node) => (isLayerOp(node) && node.optionalIn(2)?.producer && isDequantize(node.in(2).producer!) ? "has a bias behind DequantizeLinear, which the parser refuses" : undefined)),
  },
  "integer-op": {
    severity: "error", source: sources.operators, change: "use QuantizeLinear/DequantizeLinear around the float op: `edgestill quantize --scheme tensorrt` from the float model.",
    find: perNode(({ opType }) => (/^QLinear|^(ConvInteger|MatMulInteger|DynamicQuantizeLinear|QGemm|QAttention|DynamicQuantizeMatMul|MatMulIntegerToFloat)$/.test(opType)
      ? opType === "DynamicQuantizeLinear" ? "quantizes at run time, which TensorRT does not" : "is ONNX Runtime's integer form, which TensorRT has no importer for" : undefined)),
  },
  "quantization-opset": {
    severity: "error", source: sources.importer, change: "upgrade the model to opset 17 before quantizing; `edgestill quantize` does.",
    find: ({ graph, nodes }) => nodes.filter(isQuantizer).flatMap((node): Hit[] => {
      const needed = (scaleOf(node)?.size ?? 1) > 1 ? 13 : 10;
      return graph.opset < needed ? [{ at: node, finding: `needs opset ${needed}, the model says ${graph.opset}` }] : [];
    }),
  },
} satisfies Record<string, Rule>;

function zeroPointType(node: Node): string | undefined {
  if (!isQuantizer(node)) return undefined;
  const zeroPoint = node.optionalIn(2);
  const { dtype } = zeroPoint?.constant ?? {};
  if (zeroPoint) return dtype === undefined || dtype === "int8" || dtype === "int32" ? undefined : `quantizes to ${dtype}; TensorRT takes int8`;
  const isInt8 = isQuantize(node) ? node.int("output_dtype", 0) === int8Code : node.in(0).dtype === undefined || ["int8", "int32"].includes(node.in(0).dtype!);
  return isInt8 ? undefined : "has no zero point: ONNX reads that as uint8, TensorRT as int8";
}

function scaleProblem(node: Node): string | undefined {
  if (!isQuantizer(node)) return undefined;
  const scale = scaleOf(node);
  const zeroPoint = node.optionalIn(2);
  if (!scale || (zeroPoint && !zeroPoint.constant)) return "has a computed scale or zero point; TensorRT wants constants";
  if (scale.toNumbers().some((value) => !(value > 0) || !Number.isFinite(value))) return "has a scale that is not a positive number";
  return zeroPoint && zeroPoint.constant!.size !== scale.size ? `has ${scale.size} scales and ${zeroPoint.constant!.size} zero points` : undefined;
}

const weightQuantizer = (layer: Node): Node | undefined => {
  const node = layer.optionalIn(1)?.producer;
  return node && isDequantize(node) && isOfConstant(node) ? node : undefined;
};

const channels = (layer: Node): number | undefined => layer.in(1).staticShape?.[weightAxesOf(layer).output];

function weightAxisProblem(layer: Node): Hit[] {
  const quantizer = weightQuantizer(layer);
  const scale = quantizer && scaleOf(quantizer);
  if (!scale || scale.size === 1) return [];
  const rank = layer.in(1).shape?.length ?? 0;
  const axis = (quantizer.int("axis", 1) + rank) % Math.max(rank, 1);
  const wanted = weightAxesOf(layer).output;
  if (axis !== wanted) return [{ at: layer, finding: `has weight scales along axis ${axis}; its output channels are axis ${wanted}` }];
  const size = layer.in(1).staticShape?.[axis];
  return size !== undefined && size !== scale.size ? [{ at: layer, finding: `has ${scale.size} weight scales for ${size} output channels` }] : [];
}
