import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { parseGraph } from "../../graph/text.ts";
import { Tensor } from "../../graph/tensor.ts";
import { proveSameOutputs } from "../../detection/same-outputs.ts";
import { comparableGraphs, compareModels, differenceOf, sampleFeeds } from "../../runtime/compare.ts";

const f32 = (...values: number[]): Tensor => Tensor.float32([values.length], values);

for (const [name, a, b, relative] of [
  ["equal", f32(1, -2), f32(1, -2), 0], ["a tenth of the largest value", f32(1, -2), f32(1.2, -2), 0.1], ["zeros", f32(0, 0), f32(0, 0), 0], ["zeros against something", f32(0, 0), f32(0, 1e-9), Infinity],
  ["NaN at the same place", f32(NaN, 1), f32(NaN, 1), 0], ["NaN where there was a number", f32(1, 1), f32(NaN, 1), Infinity], ["infinity at the same place", f32(Infinity, 2), f32(Infinity, 2), 0],
  ["another shape", f32(1, 2), f32(1, 2, 3), Infinity], ["nothing", f32(1), undefined, Infinity], ["integers", Tensor.int64([2], [4, 2]), Tensor.int64([2], [4, 1]), 0.25],
] as const) test(`differenceOf: ${name}`, () => {
  const found = differenceOf("y", a, b).relative;
  assert.ok(found === relative || Math.abs(found - relative) < 1e-6, String(found));
});

test("feeds are the same for the same seed, of the right types, and pictures are smooth", () => {
  const graph = parseGraph(`(x: f32[N,3,H,W], raw: u8[1,8,8,3], half: f16[1,1,4,4], n: i64[1,2]) { y = Relu(x) } -> y`);
  const feeds = sampleFeeds(graph, { size: [48, 32] });
  assert.equal(Object.values(feeds).map(({ dtype, shape }) => `${dtype}[${shape.join()}]`), ["float32[1,3,32,48]", "uint8[1,8,8,3]", "float16[1,1,4,4]", "int64[1,2]"]);
  assert.equal([...feeds["x"]!.bytes], [...sampleFeeds(graph, { size: [48, 32] })["x"]!.bytes]);
  assert.not.equal([...feeds["x"]!.bytes], [...sampleFeeds(graph, { size: [48, 32], seed: 5 })["x"]!.bytes]);
  const { floats } = feeds["x"]!;
  const steps = floats.slice(1, 48).map((value, index) => Math.abs(value - floats[index]!));
  assert.ok(floats.every((value) => value >= 0 && value <= 1) && steps.reduce((sum, step) => sum + step, 0) / steps.length < 0.1);
  assert.ok(Math.max(...feeds["raw"]!.toNumbers()) > 100);
});

test("a selection is compared by what goes into it", async () => {
  const graph = (w: string) => parseGraph(`(x: f32[1,4]) { const w: f32[4] = [${w}] const k: i64[1] = [2] s = Mul(x, w) v, i = TopK<axis=1>(s, k) y = Cast<to=1>(i) z = Exp(s) } -> y, z`);
  const [a, b] = comparableGraphs(graph("1, 1, 1, 1"), graph("1, 1.00001, 1, 1"));
  assert.equal([a, b].map(({ outputs }) => outputs.map(({ name }) => name)), [["s", "z"], ["s", "z"]]);
  const found = await compareModels(a, b, sampleFeeds(a));
  assert.ok(found.every(({ relative }) => relative < 1e-4) && found.some(({ relative }) => relative > 0), JSON.stringify(found));
});

const model = (w: number, rest = ""): ReturnType<typeof parseGraph> => parseGraph(`(x: f32[1,2,4,4]) { const w: f32[1,2,1,1] = [0.5, ${w}] y = Conv(x, w) ${rest} } -> y`);
const differs = (differences: readonly string[]): UserError => new UserError("DIFFERS", differences.join("; "), "-");
const prove = (...args: Parameters<typeof proveSameOutputs>) => proveSameOutputs(...args).catch((error: unknown) => { assert.instance(error, UserError); return error as UserError; });

test("equal graphs prove each other; others are refused with the output's name, or with what the runtime says", async () => {
  const options = { label: "the model", error: differs };
  assert.is(((await prove(model(1), model(1), options)) as { largest: number }).largest, 0);
  const wrong = await prove(model(1), model(1.01), options);
  assert.ok(wrong instanceof UserError && wrong.code === "DIFFERS" && wrong.message.includes(`"y" by 0.00`), JSON.stringify(wrong));
  assert.not.instance(await prove(model(1), model(1.0005), options), UserError);
  const broken = model(1);
  const w = broken.find("w")!;
  Object.assign(w, { tensor: Tensor.float32([1, 3, 1, 1], [1, 1, 1]), shape: [1, 3, 1, 1] }); // after the check of what is read
  const stopped = await prove(model(1), broken, options);
  assert.ok(stopped instanceof UserError && stopped.message.includes("ONNX Runtime"), JSON.stringify(stopped));
  const unknown = parseGraph(`graph g <opset 17, my.ops 1> (x: f32[1,2,4,4]) { y = my.ops::Magic(x) } -> y`);
  const skipped = await prove(unknown, unknown, options);
  assert.match((skipped as { note: string }).note, "could not be compared");
});

test.run();
