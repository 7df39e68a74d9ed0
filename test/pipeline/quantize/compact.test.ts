import { test } from "uvu";
import * as assert from "uvu/assert";
import { graphProblems } from "../../../graph/check.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { parseModel } from "../../../onnx/load.ts";
import { serializeModel } from "../../../onnx/save.ts";
import { compact } from "../../../pipeline/quantize/compact.ts";
import { emitCpu } from "../../../pipeline/quantize/cpu.ts";
import { startingFloatSet } from "../../../pipeline/quantize/float-set.ts";
import { prepareForQuantization } from "../../../pipeline/quantize/prepare.ts";
import { emitTensorrt } from "../../../pipeline/quantize/tensorrt.ts";
import { runOnce } from "../../../runtime/session.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { seededNumbers } from "../../helpers/models.ts";
import { nodesOf, optimizedOps, rangesOn } from "./nets.ts";

/** The student of the road-scenes example. */
const student = prepareForQuantization(yoloStudent({ classes: ["a", "b", "c", "d", "e"], size: [320, 192], width: 0.125, depth: 0.2, maxChannels: 256, activation: "relu", regMax: 8, seed: 1 }));
const feeds = { images: Tensor.float32([1, 3, 192, 320], seededNumbers(3 * 192 * 320, 7)) };
const floatNodes = new Set([...startingFloatSet(student).keys()].map(({ name }) => name));
const ranges = await rangesOn(student, [feeds]);
const sessions = [{}, { extra: { "session.x64quantprecision": "1" } }, { extra: { "session.disable_quant_qdq": "1" } }];

for (const [scheme, emit, largest] of [["cpu", emitCpu, 0.32], ["tensorrt", emitTensorrt, 0.98]] as const) {
  test(`${scheme}: the compact file computes the same bits in at most ${largest} of the float file's bytes`, async () => {
    const { graph, layers } = emit(student, ranges, { floatNodes });
    const bytes = serializeModel(compact(graph), { valueInfo: false });
    const small = parseModel(bytes).graph;
    assert.equal(graphProblems(small), []);
    for (const session of sessions) assert.equal(await runOnce(small, feeds, session), await runOnce(graph, feeds, session));
    assert.ok(bytes.length <= largest * serializeModel(student).length, `${bytes.length} of ${serializeModel(student).length} bytes`);
    assert.equal(await optimizedOps(small, {}), await optimizedOps(graph, {}));
    if (scheme === "cpu") assert.is((await optimizedOps(small, {})).get("QLinearConv"), layers.length);
  });
}

test("layers, inputs and outputs keep their names; the rest is short; what is done twice changes nothing more", () => {
  const { graph } = emitCpu(student, ranges, { floatNodes });
  const small = compact(graph);
  assert.equal(nodesOf(small, "Conv").map(({ name }) => name), nodesOf(graph, "Conv").map(({ name }) => name));
  assert.equal([...small.inputs, ...small.outputs].map(({ name }) => name), ["images", "output0"]);
  const inner = small.values.filter((value) => !small.inputs.includes(value) && !small.outputs.includes(value)).map(({ name }) => name);
  assert.is(new Set(inner).size, inner.length);
  assert.ok(inner.every((name) => /^[A-Za-z][A-Za-z0-9_]{0,2}$/.test(name)));
  assert.equal(serializeModel(compact(small)), serializeModel(small));
});

test("constants that float16 would round stay as they are, and so do weights", () => {
  const small = compact(emitCpu(student, ranges, { floatNodes }).graph);
  const halves = nodesOf(small, "Cast").map((node) => node.in(0).constant!);
  assert.equal(halves.map(({ dtype, shape }) => `${dtype}[${shape.join(",")}]`), ["float16[1,2,1260]", "float16[1,1,1260]"]);
  for (const conv of nodesOf(small, "Conv")) assert.is(conv.in(2).constant?.dtype, "float32");
  const odd = student.clone();
  const anchors = odd.initializers.find((value) => value.shape?.join() === "1,2,1260")!;
  anchors.tensor = Tensor.float32([1, 2, 1260], anchors.tensor!.floats.map((x) => x + 1e-3));
  assert.is(nodesOf(compact(odd), "Cast").length, 1);
});

test.run();
