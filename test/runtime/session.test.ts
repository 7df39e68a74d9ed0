import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../graph/error.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseGraph } from "../../graph/text.ts";
import { openSession, runOnce } from "../../runtime/session.ts";

const code = async (promise: Promise<unknown>): Promise<string | undefined> =>
  (await promise.then(() => undefined, (error: unknown) => error) as UserError | undefined)?.code;

for (const [type, dtype, values] of [
  ["f32", "float32", [1.5, -2]], ["f64", "float64", [1.5, -2]], ["f16", "float16", [1.5, -0.25]], ["i8", "int8", [-128, 127]], ["u8", "uint8", [0, 255]], ["i32", "int32", [-7, 7]],
  ["i64", "int64", [-(2 ** 52), 3]], ["bool", "bool", [1, 0]],
] as const) test(`${dtype} goes in and comes out unchanged`, async () => {
  const x = Tensor.from(dtype, [2], values);
  const { y } = await runOnce(parseGraph(`(x: ${type}[2]) { y = Identity(x) } -> y`), { x }, { threads: 1 });
  assert.equal([y!.dtype, y!.shape, y!.toNumbers()], [dtype, [2], [...values]]);
});

test("strings, empty tensors and scalars too", async () => {
  const text = new Tensor("string", [2], new Uint8Array(0), ["straße", ""]);
  assert.equal((await runOnce(parseGraph(`(x: string[2]) { y = Identity(x) } -> y`), { x: text }))["y"]!.strings, text.strings);
  assert.equal((await runOnce(parseGraph(`(x: f32[N]) { y = Relu(x) } -> y`), { x: Tensor.float32([0], []) }))["y"]!.shape, [0]);
  assert.equal((await runOnce(parseGraph(`(x: f32[]) { y = Relu(x) } -> y`), { x: Tensor.float32([], [3]) }))["y"]!.shape, []);
});

test("ports say names, types and shapes; one output can be asked for; a session runs again", async () => {
  const session = await openSession(parseGraph(`(x: f32[N,2]) { y = Relu(x) z = Neg(x) } -> y, z`), { threads: 1 });
  assert.equal(session.inputs.map(({ name, dtype, shape }) => [name, dtype, shape]), [["x", "float32", ["N", 2]]]);
  const run = async (rows: number, names?: readonly string[]) => session.run({ x: Tensor.float32([rows, 2], new Float32Array(rows * 2).fill(2)) }, names);
  assert.equal(Object.keys(await run(1)), ["y", "z"]);
  assert.equal(Object.keys(await run(3, ["z"])), ["z"]);
  await session.close();
});

test("what the runtime refuses is a UserError", async () => {
  const graph = parseGraph(`(x: f32[2]) { y = Relu(x) } -> y`);
  assert.is(await code(openSession(Uint8Array.of(1, 2, 3))), "SESSION");
  assert.is(await code(openSession("/no/such/model.onnx")), "SESSION");
  assert.is(await code(openSession(parseGraph(`(x: f32[2]) { y = Frobnicate(x) } -> y`))), "SESSION");
  assert.is(await code(runOnce(graph, { x: Tensor.float32([3], [1, 2, 3]) })), "RUN_FAILED");
  assert.is(await code(runOnce(graph, { x: Tensor.int64([2], [1, 2]) })), "RUN_FAILED");
  assert.is(await code(runOnce(graph, {})), "RUN_FAILED");
});

test("all lines of what the runtime says are kept", async () => {
  const error = await runOnce(parseGraph(`(x: f32[2]) { y = Relu(x) } -> y`), { x: Tensor.float32([3], [1, 2, 3]) }).then(() => undefined, (cause: unknown) => cause as UserError);
  assert.ok(error!.message.split("\n").length >= 3 && error!.message.includes("index: 0 Got: 3 Expected: 2"), error!.message);
});

test.run();
