import type { DetectorModel } from "../../detection/detector.ts";
import { unwritable } from "../../escape/lines.ts";
import { Builder } from "../../graph/builder.ts";
import { checkGraph } from "../../graph/check.ts";
import { removeDead } from "../../graph/dead.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { Tensor } from "../../graph/tensor.ts";
import { upgradeOpset } from "../../rewrite/opset.ts";
import { cellCount, type DenseHead, type Preprocess } from "../../vision/index.ts";

/** Strides that autoware_tensorrt_yolox assumes, in the order of the rows. */
const strides = [8, 16, 32];

/** What the node's reader of labels and remap tables would cut at, or what CSV would have to quote. */
const separators = /[,#"]/;

/** Why a detector cannot be given YOLOX rows; undefined where it can. */
export const adapterObstacle = ({ head, classes, contract }: DetectorModel): string | undefined => {
  if (head.kind !== "dense") return `autoware_tensorrt_yolox reads one row per grid cell, which a ${head.family} head does not have.`;
  if (head.strides.join() !== strides.join() || head.family === "yolov5") return `autoware_tensorrt_yolox reads one row per cell of the strides 8, 16, 32; this ${head.family} head has other anchors.`;
  if (contract.resize !== "letterbox" || contract.pad !== 114) return "autoware_tensorrt_yolox letterboxes with grey 114, which is not this model's preprocessing.";
  const name = unwritable(classes, separators);
  if (name !== undefined) return `The class "${name}" cannot be written for autoware_tensorrt_yolox, whose reader of labels knows no quotes: it cuts at "," and "#" and takes blanks off the ends.`;
  return undefined;
};

/** What the node does to a picture: BGR 0..255, resized into the top left corner, the rest 114. */
export const nodeContract = (size: readonly [number, number]): Preprocess => ({ size, resize: "letterbox", align: "topleft", pad: 114, order: "bgr", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] });

/**
 * The float detector as autoware_tensorrt_yolox takes it: input [1, 3, H, W] BGR 0..255, output [1, N, 5 + C] undecoded rows
 * (x = cx/s - gx, w = ln(w/s), objectness, class scores), static. Values keep their names, so that a calibration table fits.
 */
export const yoloxAdapter = (model: DetectorModel): Graph => {
  const { graph } = upgradeOpset(model.graph, 17);
  const head = model.head as DenseHead;
  const input = graph.inputs[0]!;
  const [width, height] = model.contract.size;
  input.shape = [1, 3, height, width];
  takeNodePixels(graph, model.contract);
  nameLastLayers(graph, head.classCount);
  inferShapes(graph);
  const decoded = graph.outputs.find(({ name }) => name === head.outputNames[0])!;
  const rows = rowsOf(new Builder(graph, "yolox"), decoded, head);
  graph.outputs.splice(0, graph.outputs.length, rows);
  if (rows.name !== "output" && graph.find("output") === undefined) rows.name = "output";
  removeDead(graph);
  inferShapes(graph);
  for (const key of [...graph.metadata.keys()]) if (key !== "names") graph.metadata.delete(key);
  checkGraph(graph);
  return graph;
};

/** The adapter as a detector of its own, for measuring it with the node's letterbox. Its head is stated, not recognised: a DFL tail before YOLOX rows is no known export. */
export const adapterDetector = ({ head, classes, contract: { size } }: DetectorModel, graph: Graph): DetectorModel => ({
  graph, classes, contract: nodeContract(size), notes: [],
  head: { kind: "dense", family: "yolox", classCount: head.classCount, outputNames: [graph.outputs[0]!.name], size, needsNms: true, channelsFirst: false, objectness: true, raw: true, strides },
});

/** (pixel·scale - mean)/std and the order of channels move into the first convolution; nodes of their own where that is not exact. */
const takeNodePixels = (graph: Graph, { order, scale, mean, std }: Preprocess): void => {
  const input = graph.inputs[0]!;
  const uses = [...input.uses];
  const factors = std.map((s) => scale / s);
  const isFoldable = mean.every((m) => m === 0) && !graph.isOutput(input)
    && uses.every(({ node, slot }) => node.opType === "Conv" && slot === 0 && node.int("group", 1) === 1 && node.in(1).constant?.dtype === "float32");
  if (isFoldable) {
    for (const { node } of uses) node.replaceInput(1, graph.addInitializer(`${node.in(1).name}/bgr255`, foldedWeight(node.in(1).constant!, factors, order)));
    return;
  }
  const b = new Builder(graph, "pixels");
  const turned = order === "rgb" ? b.op("Gather", [input, b.int64s([2, 1, 0])], { axis: 1 }) : input;
  const perChannel = (values: readonly number[]): Value => b.constant(Tensor.float32([1, 3, 1, 1], values));
  const scaled = b.mul(turned, perChannel(factors));
  const value = mean.every((m) => m === 0) ? scaled : b.sub(scaled, perChannel(mean.map((m, c) => m / std[c]!)));
  for (const { node, slot } of uses) node.replaceInput(slot, value);
};

/** w'[o, b] = w[o, c]·scale/std[c], where c is the network's channel that holds the b-th of BGR. */
const foldedWeight = (weight: Tensor, factors: readonly number[], order: Preprocess["order"]): Tensor => {
  const [outputs = 0, channels = 0, ...kernel] = weight.shape;
  const area = kernel.reduce((product, side) => product * side, 1);
  const folded = new Float32Array(weight.size);
  for (let o = 0; o < outputs; o++) for (let blue = 0; blue < channels; blue++) {
    const c = order === "bgr" ? blue : channels - 1 - blue;
    for (let k = 0; k < area; k++) folded[(o * channels + blue) * area + k] = weight.floats[(o * channels + c) * area + k]! * factors[c]!;
  }
  return Tensor.of("float32", weight.shape, folded);
};

/** The node keeps layers whose names hold cls_preds or reg_preds out of int8 (quantize_last_layer). */
const nameLastLayers = (graph: Graph, classCount: number): void => {
  const seen = new Set<Value>();
  const queue = [...graph.outputs];
  for (let value = queue.pop(); value; value = queue.pop()) {
    const node = value.producer;
    if (!node || seen.has(value)) continue;
    seen.add(value);
    if (node.opType === "Conv" && (node.in(1).constant?.size ?? 0) > 64) node.name = `${node.in(1).constant!.shape[0] === classCount ? "cls_preds" : "reg_preds"}/${node.name}`;
    else queue.push(...node.inputs.filter((input): input is Value => input !== null));
  }
};

const rowsOf = (b: Builder, output: Value, head: DenseHead): Value => {
  const rows = head.channelsFirst ? b.transpose(output, [0, 2, 1]) : output;
  if (head.raw) return rows;
  const count = cellCount(head.size, strides);
  const { grid, stride } = cells(b, head.size, count);
  const [xy, wh, ...rest] = b.split(rows, head.objectness ? [2, 2, 1, head.classCount] : [2, 2, head.classCount], 2) as [Value, Value, ...Value[]];
  const offset = b.sub(b.div(xy, stride), grid);
  const size = b.log(b.div(b.max(wh, 1e-3), stride));
  return b.concat([offset, size, ...(head.objectness ? [] : [b.full([1, count, 1], 1)]), ...rest], 2);
};

const cells = (b: Builder, [width, height]: readonly [number, number], count: number): { readonly grid: Value; readonly stride: Value } => {
  const grid = new Float32Array(count * 2);
  const stride = new Float32Array(count);
  let row = 0;
  for (const step of strides) for (let y = 0; y < Math.ceil(height / step); y++) for (let x = 0; x < Math.ceil(width / step); x++, row++) {
    grid.set([x, y], row * 2);
    stride[row] = step;
  }
  return { grid: b.constant(Tensor.float32([1, count, 2], grid)), stride: b.constant(Tensor.float32([1, count, 1], stride)) };
};
