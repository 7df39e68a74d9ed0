import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { parseGraph, printGraph } from "../../graph/text.ts";
import { serializeModel } from "../../onnx/save.ts";
import { sameOutputs, testWithModel } from "../helpers/models.ts";

const roundTrips = (text: string): void => {
  const printed = printGraph(parseGraph(text), { contents: "all" });
  assert.is(printGraph(parseGraph(printed), { contents: "all" }), printed);
  assert.ok(Buffer.from(serializeModel(parseGraph(printed))).equals(serializeModel(parseGraph(text))), "the same model file");
};

for (const text of [
  `(x: f32[1,3,8,8]) { const w: f32[4,3,1,1] = fill 0.1 c = Conv(x, w) y = Relu(c) } -> y`,
  `graph "two words" <opset 13, com.microsoft 1> (x: f32["batch size",3]) { y = com.microsoft::QuickGelu<alpha=1.0>(x) "the node" } -> y`,
  `(x: i64[2]) { const big: i64[2] = [9223372036854775807, -9223372036854775808] y = Add(x, big) } -> y`,
  `(x: f32[2]) { const odd: f32[6] = [0.1, -0.0, inf, -inf, nan, 1e-40] const i: i64[2] = [0, 1] g = Gather(odd, i) y = Add(x, g) } -> y`,
  `(x: f16[3]) { const h: f16[3] = [0.5, 65504, 0.00006] y = Add(x, h) } -> y`,
  `(x: string[2]) { const s: string[2] = ["a\\"b", "\\n"] y = Equal(x, s) } -> y`,
  `(x: f32[4,4]) { "1", _ = Split<axis=0>(x) "2" = Relu("1") "3" = Clip("2", _, _) "clip" } -> "3"`,
  `(x: f32[?a,N]) { y = Frob<e=ints[], f=floats[], s=["a","b"], v=[1.5,2], k=3.0, t=f32[1] = [2]>(x) } -> y`.replace("?a", `"?a"`),
  `(c: bool[], x: f32[2]) { y, z = If<then_branch=graph a () { p = Relu(x) } -> (p, p), else_branch=graph b () { const k: f32[2] = [1,2] q = Neg(x) } -> (q, k)>(c) } -> y, z`,
  `(x: f32[2]) { meta "names" = "{0: 'car'}" const x2: bool[2] = [1, 0] y = Where(x2, x, x) } -> y`,
]) test(`round trip: ${text}`, () => roundTrips(text));

test("values that share a label are told apart", () => {
  const graph = parseGraph(`(x: f32[2]) { a = Relu(x) b = Neg(a) y = Add(a, b) } -> y`);
  graph.find("b")!.name = "a";
  const again = parseGraph(printGraph(graph));
  assert.is(again.find("y")!.producer!.in(1).producer!.opType, "Neg");
});

test("short contents leave big tensors out and say so when read back", () => {
  const printed = printGraph(parseGraph(`(x: f32[20]) { const w: f32[20] = fill 1 y = Mul(x, w) } -> y`));
  assert.match(printed, "const w: f32[20] = ...");
  assert.throws(() => parseGraph(printed), (error: UserError) => error instanceof UserError && error.code === "GRAPH_TEXT" && error.message.includes("line 2"));
});

for (const [text, message] of [
  [`(x: f32[2]) { y = Relu(z) } -> y`, `line 1: "z" is not defined above`],
  [`(x: f33[2]) { y = Relu(x) } -> y`, `"f33" is no element type`],
  [`(x: f32[2])\n{ const w: f32[2] = [1]\n y = Add(x, w) } -> y`, `line 2: [2] holds 2 elements, found 1`],
  [`(x: f32[2]) { y = Relu(x) } -> y y`, `expected the end`],
  [`(x: f32[2]) { y = Relu(x) ; } -> y`, `unexpected ";`],
] as const) test(`names the mistake: ${message}`, () => assert.throws(() => parseGraph(text), (error: Error) => error.message.includes(message)));

testWithModel("models/yolox_nano_416.onnx", "round trip keeps what it computes", (graph) => sameOutputs(graph, parseGraph(printGraph(graph, { contents: "all" })), { atol: 0 }));
testWithModel("text/bert-mini-sst2/model.onnx", "round trip keeps the text", (graph) => {
  roundTrips(printGraph(graph, { contents: "all" }));
  return Promise.resolve();
});

test.run();
