import { test } from "uvu";
import * as assert from "uvu/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declaredSize, fixedSize, sizedGraph } from "../../detection/input-size.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { parseGraph } from "../../graph/text.ts";
import { loadModel } from "../../onnx/load.ts";
import { saveModel } from "../../onnx/save.ts";
import { writeGradientModel } from "../../pipeline/models/grad.ts";
import { inspectModel } from "../../pipeline/models/inspect.ts";
import { pruneFile } from "../../pipeline/models/prune.ts";
import { compareModels, differing, sampleFeeds } from "../../runtime/compare.ts";
import { preprocessPreset, serializePreprocess } from "../../vision/preprocess.ts";
import { seededNumbers } from "../helpers/models.ts";
import { Tensor } from "../../graph/tensor.ts";

/** A detector's stem as PyTorch exports it with dynamic axes: sizes of Resize and Reshape are computed from shapes. */
const dynamic = (input = "N,3,H,W", metadata: Readonly<Record<string, string>> = {}): Graph => {
  const graph = parseGraph(`(images: f32[${input}]) {
    const w1: f32[16,3,3,3] = fill 0 const w2: f32[16,16,3,3] = fill 0 const w3: f32[8,16,1,1] = fill 0
    const i0: i64[] = [0] const a0: i64[1] = [0] const two: i64[1] = [2] const four: i64[1] = [4] const minus: i64[1] = [-1] const c: i64[1] = [8] const s1: f32[4] = [1, 1, 2, 2]
    a = Conv<pads=[1,1,1,1], strides=[2,2]>(images, w1) b = Relu(a) d = Conv<pads=[1,1,1,1], strides=[2,2]>(b, w2) e = Relu(d)
    shape = Shape(b) hw = Slice(shape, two, four, a0) nc0 = Shape(e) nc = Slice(nc0, a0, two, a0) sizes = Concat<axis=0>(nc, hw)
    up = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(e, _, _, sizes) f = Add(up, b) g = Conv(f, w3)
    gs = Shape(g) n0 = Gather(gs, i0) n = Unsqueeze(n0, a0) t = Concat<axis=0>(n, c, minus) y = Reshape(g, t)
  } -> y`);
  for (const [index, value] of graph.initializers.entries()) {
    if (value.tensor?.shape.length === 4) value.tensor = Tensor.float32(value.tensor.shape, seededNumbers(value.tensor.size, index + 1, -0.4, 0.4));
  }
  graph.outputs[0]!.shape = ["N", 8, "anchors"];
  for (const [key, value] of Object.entries(metadata)) graph.metadata.set(key, value);
  return graph;
};

const refusal = async (work: Promise<unknown>): Promise<UserError> => work.then(() => { throw new Error("was not refused"); }, (error: unknown) => { assert.instance(error, UserError); return error as UserError; });
const contract = serializePreprocess(preprocessPreset("yolov8", [96, 64]));

for (const [name, graph, size, expected] of [
  ["the size that is given", dynamic(), [64, 32], [64, 32]],
  ["the contract in the metadata", dynamic("N,3,H,W", { "edgestill.preprocess": contract, imgsz: "[640, 640]" }), undefined, [96, 64]],
  ["Ultralytics' imgsz, height first", dynamic("1,3,H,W", { imgsz: "[32, 64]" }), undefined, [64, 32]],
  ["one number", dynamic("1,3,H,W", { imgsz: "32" }), undefined, [32, 32]],
  ["given before the metadata", dynamic("1,3,H,W", { imgsz: "[32, 64]" }), [96, 96], [96, 96]],
  ["a fixed input", dynamic("1,3,32,64"), undefined, [64, 32]],
  ["a fixed input, said again", dynamic("1,3,32,64"), [64, 32], [64, 32]],
  ["only the width is open", dynamic("1,3,32,W"), [64, 32], [64, 32]],
] as const) test(`sizedGraph: ${name}`, async () => {
  const sized = await sizedGraph(graph, { label: "m.onnx", ...(size && { size }) });
  assert.equal(fixedSize(sized.graph), expected);
  const [width, height] = expected;
  assert.equal(sized.graph.outputs[0]!.shape!.slice(1), [8, (width * height) / 4]);
  assert.is(sized.graph.inputs[0]!.shape![0], graph.inputs[0]!.shape![0], "the batch axis stays");
  assert.equal(differing(await compareModels(graph, sized.graph, sampleFeeds(sized.graph)), 1e-6), []);
  assert.is(sized.notes.length, size === undefined && fixedSize(graph) === undefined ? 1 : 0);
});

for (const [name, graph, size, words] of [
  ["no size anywhere", dynamic(), undefined, "--size"], ["another size than the fixed one", dynamic("1,3,32,64"), [32, 32], "--size"], ["another height than the fixed one", dynamic("1,3,32,W"), [64, 64], "--size"],
] as const) test(`sizedGraph refuses: ${name}`, async () => {
  const error = await refusal(sizedGraph(graph, { label: "m.onnx", ...(size && { size }) }));
  assert.is(error.code, "INPUT_SIZE");
  assert.ok(`${error.message} ${error.nextStep}`.includes(words) && error.message.includes("m.onnx"));
});

test("a model without a picture input, or with an op that nobody knows, passes as it is", async () => {
  const text = parseGraph(`(tokens: i64[N,S]) { y = Cast<to=1>(tokens) } -> y`);
  assert.equal((await sizedGraph(text, { label: "t" })).graph.inputs[0]!.shape, ["N", "S"]);
  const custom = parseGraph(`graph g <opset 17, my.ops 1> (x: f32[1,3,8,8]) { y = my.ops::Magic(x) z = Relu(y) } -> z`);
  assert.is((await sizedGraph(custom, { label: "c" })).graph.nodes.size, 2);
});

test("declaredSize: nothing where the metadata says nothing", () => assert.is(declaredSize(new Map([["imgsz", "auto"]]), "m"), undefined));

test("inspect, prune and grad take --size, and name it where it is missing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-size-"));
  try {
    const [path, out, masked] = [join(folder, "dynamic.onnx"), join(folder, "out.onnx"), join(folder, "masked.onnx")];
    await saveModel(dynamic(), path);
    for (const work of [() => inspectModel(path), () => pruneFile(path, { macs: 0.6, out })]) assert.match((await refusal(work())).nextStep, "--size");
    const size = [64, 32] as const;
    const { macs, inputs, prunable } = await inspectModel(path, { size });
    assert.equal([macs, inputs[0]!.shape], [64 * 32 / 4 * 16 * 27 + 64 * 32 / 16 * 16 * 144 + 64 * 32 / 4 * 128, ["N", 3, "H", "W"]]);
    assert.ok(prunable.layers > 0);
    const pruned = await pruneFile(path, { macs: 0.7, round: 1, out, saveMasked: masked, size });
    assert.ok(pruned.macs < 0.75 * pruned.before.macs, `${pruned.macs} of ${pruned.before.macs}`);
    const feeds = sampleFeeds((await loadModel(out)).graph);
    assert.equal(differing(await compareModels(masked, out, feeds), 1e-5), []);
    assert.match((await refusal(writeGradientModel(path, { loss: "y", wrt: ["images"], out }))).nextStep, "--size");
    assert.equal((await writeGradientModel(path, { loss: "y", wrt: ["images"], out, size })).outputs, ["y", "grad/images"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
