import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";

/**
 * Rewrites forms that ONNX Runtime's int8 passes mishandle (1.30) into older ones of the same meaning:
 * - Pad and Resize of opset 18 with `axes`: its layout pass moves transposes through them as if they named all axes
 * - MatMul + Add of a vector at opset 21: fused into a Gemm whose new QuantizeLinear keeps an `output_dtype` that does not fit
 */
export const plainForms = (graph: Graph): void => {
  for (const node of graph.sorted()) {
    if (node.domain !== "") continue;
    if (node.opType === "Pad") wholePad(graph, node);
    if (node.opType === "Resize") wholeResize(graph, node);
    if (node.opType === "MatMul") raiseBias(graph, node);
  }
};

/** `values` in place of `base` at the named axes. */
const placed = <T>(base: readonly T[], axes: readonly number[], values: readonly T[]): T[] => {
  const all = [...base];
  for (const [index, axis] of axes.entries()) all[axis < 0 ? axis + all.length : axis] = values[index]!;
  return all;
};

const numbersOf = (value: Value | undefined): number[] | undefined => value?.constant && [...value.constant.toNumbers()];

const wholePad = (graph: Graph, pad: Node): void => {
  const [axes, pads, rank] = [numbersOf(pad.optionalIn(3)), numbersOf(pad.optionalIn(1)), pad.in(0).shape?.length];
  if (!axes || pads?.length !== 2 * axes.length || rank === undefined) return;
  const zeros = new Array<number>(rank).fill(0);
  const whole = [...placed(zeros, axes, pads.slice(0, axes.length)), ...placed(zeros, axes, pads.slice(axes.length))];
  pad.replaceInput(1, graph.addInitializer(`${pad.in(1).name}_whole`, Tensor.int64([whole.length], whole)));
  pad.replaceInput(3, null);
};

const wholeResize = (graph: Graph, resize: Node): void => {
  const axes = resize.ints("axes");
  const roi = resize.optionalIn(1);
  if (!axes || (roi && roi.shape?.[0] !== 0) || resize.string("keep_aspect_ratio_policy", "stretch") !== "stretch") return;
  const { shape, staticShape } = resize.in(0);
  const [scales, sizes] = [numbersOf(resize.optionalIn(2)), numbersOf(resize.optionalIn(3))];
  if (scales?.length === axes.length && shape) {
    const whole = placed(shape.map(() => 1), axes, scales);
    resize.replaceInput(2, graph.addInitializer(`${resize.in(2).name}_whole`, Tensor.float32([whole.length], whole)));
  } else if (sizes?.length === axes.length && staticShape) {
    const whole = placed(staticShape, axes, sizes);
    resize.replaceInput(3, graph.addInitializer(`${resize.in(3).name}_whole`, Tensor.int64([whole.length], whole)));
  } else return;
  resize.attributes.delete("axes");
};

/** A bias of the rank of what it is added to is no bias to ONNX Runtime. */
const raiseBias = (graph: Graph, matMul: Node): void => {
  const [rank, add] = [matMul.in(0).shape?.length ?? 0, matMul.out().readers[0]];
  if (graph.opset < 21 || rank < 3 || add?.opType !== "Add") return;
  const slot = add.inputs.findIndex((input) => input?.constant?.shape.length === 1);
  const tensor = add.inputs[slot]?.constant;
  if (!tensor) return;
  const shape = [...new Array<number>(rank - 1).fill(1), ...tensor.shape];
  add.replaceInput(slot, graph.addInitializer(`${add.in(slot).name}_row`, new Tensor(tensor.dtype, shape, tensor.bytes)));
};
