import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../graph/graph.ts";
import { parseGraph } from "../../graph/text.ts";
import { castLikeToCast, foldConstants } from "../../rewrite/constants.ts";
import { inlineDecidedIfs } from "../../rewrite/inline-if.ts";
import { plainShapeOperands } from "../../rewrite/shape-operands.ts";
import { removeSequences } from "../../rewrite/sequences.ts";
import { runOnce } from "../../runtime/session.ts";
import { sameOutputs, seededFeeds } from "../helpers/models.ts";

const opsOf = (graph: Graph): string => graph.sorted().map((node) => node.opType).join(" ");
const decided = (dims: string): string => `(x: f32[${dims}]) { const one: i64[] = [1] s = Shape(x) g = Gather(s, one) c = Equal(g, one) r = Relu(x)
  z = If<then_branch=graph t () { p = Abs(r) q = Neg(p) } -> q, else_branch=graph e () { i = Identity(r) } -> i>(c) y = Exp(z) } -> y`;

for (const [dims, left] of [["2,1,3", "Relu Abs Neg Exp"], ["2,4,3", "Relu Identity Exp"], ["2,n,3", "Shape Gather Equal Relu If Exp"]] as const)
  test(`inlineDecidedIfs on [${dims}]`, async () => {
    const before = parseGraph(decided(dims));
    const { graph } = inlineDecidedIfs(before);
    assert.is(opsOf(graph), left);
    if (!dims.includes("n")) await sameOutputs(before, graph, { atol: 0 });
  });

for (const [name, body] of [
  ["a branch that is an outer value, as output of the model", `const c: bool[] = [1] r = Relu(x) y = If<then_branch=graph t () { i = Identity(r) } -> i, else_branch=graph e () { q = Neg(x) } -> q>(c)`],
  ["an If in an If", `const c: bool[] = [1] const d: bool[] = [0] y = If<then_branch=graph t () { z = If<then_branch=graph a () { p = Neg(x) } -> p, else_branch=graph b () { q = Abs(x) } -> q>(d) w = Relu(z) } -> w, else_branch=graph e () { u = Neg(x) } -> u>(c)`],
] as const) test(`inlineDecidedIfs: ${name}`, async () => {
  const before = parseGraph(`(x: f32[2,3]) { ${body} } -> y`);
  const { graph } = inlineDecidedIfs(before);
  assert.not.match(opsOf(graph), "If");
  assert.equal(graph.outputs.map(({ name: label }) => label), ["y"]);
  await sameOutputs(before, graph, { atol: 0 });
});

for (const [name, opset, body, left] of [
  ["sizes one by one", 17, `const k: i64[2] = [1, 3] s = SplitToSequence<axis=1>(x, k) const i: i64[] = [1] const j: i64[] = [0] a = SequenceAt(s, i) b = SequenceAt(s, j) y = Sub(a, b)`, "Split Sub"],
  ["one size, the last part smaller, an index from the end", 17, `const k: i64[] = [3] s = SplitToSequence<axis=-1>(x, k) const i: i64[] = [-1] a = SequenceAt(s, i) y = Neg(a)`, "Split Neg"],
  ["opset 11", 11, `const k: i64[] = [2] s = SplitToSequence<axis=1>(x, k) const i: i64[] = [1] a = SequenceAt(s, i) y = Neg(a)`, "Split Neg"],
  ["a sequence that is put together", 17, `r = Relu(x) n = Neg(x) s = SequenceConstruct(r, n) const i: i64[] = [1] y0 = SequenceAt(s, i) y = Exp(y0)`, "Neg Exp"],
  ["stack by ConcatFromSequence", 17, `r = Relu(x) n = Neg(x) s = SequenceConstruct(r, n) y = ConcatFromSequence<axis=1, new_axis=1>(s)`, "Relu Neg Unsqueeze Unsqueeze Concat"],
  ["an index that is computed stays", 17, `const k: i64[] = [2] s = SplitToSequence<axis=1>(x, k) f = ReduceMax<keepdims=0>(x) i = Cast<to=7>(f) y = SequenceAt(s, i)`, "SplitToSequence ReduceMax Cast SequenceAt"],
] as const) test(`removeSequences: ${name}`, async () => {
  const before = parseGraph(`graph g <opset ${opset}> (x: f32[2,4]) { ${body} } -> y`);
  const { graph } = removeSequences(before);
  assert.is(opsOf(graph), left);
  for (const each of [before, graph]) for (const output of each.outputs) output.shape = undefined;
  if (name !== "one size, the last part smaller, an index from the end") await sameOutputs(before, graph, { atol: 0 });
});

test("sizes that are known but for the batch are put together from the input's", async () => {
  const before = parseGraph(`(x: f32[N,3,4,4]) {
    const from: i64[1] = [0] const to: i64[1] = [2] const hw: i64[2] = [8, 8] const t: i64[1] = [-1] const z: i64[] = [0]
    e = Relu(x) s = Shape(e) nc = Slice(s, from, to) sizes = Concat<axis=0>(nc, hw) r = Resize<mode="nearest">(e, _, _, sizes)
    q = Shape(r) n = Gather(q, z) u = Unsqueeze(n, from) v = Concat<axis=0>(u, t) y = Reshape(r, v) } -> y`);
  const { graph } = plainShapeOperands(before);
  const shapes = [...graph.nodes].filter(({ opType }) => opType === "Shape").map((node) => node.in(0).name);
  assert.equal(new Set(shapes), new Set(["x"]));
  await sameOutputs(before, graph, { atol: 0, feeds: seededFeeds(before, { N: 3 }) });
});

test("CastLike to a known type is a Cast, or nothing", async () => {
  const before = parseGraph(`(x: f32[2,3], n: i64[2,3]) { r = Relu(x) c = CastLike(n, x) d = CastLike(r, x) y = Add(c, d) } -> y`);
  const { graph } = castLikeToCast(before);
  assert.is(opsOf(graph), "Relu Cast Add");
  await sameOutputs(before, graph, { atol: 0 });
});

test("integers beyond 2^53 are folded by the runtime, exactly", async () => {
  const before = parseGraph(`(x: f32[4,6]) { const a: i64[1] = [9223372036854775807] const b: i64[1] = [-9223372036854775807] const o: i64[2] = [0, 1] const st: i64[2] = [1, -1] const t: i64[2] = [1, -1]
    e = Concat<axis=0>(a, b) y = Slice(x, st, e, o, t) } -> y`);
  const { graph } = await foldConstants(before, (part) => runOnce(part, {}));
  assert.is(opsOf(graph), "Slice");
  assert.equal(Array.from([...graph.nodes][0]!.in(2).constant!.data as BigInt64Array, String), ["9223372036854775807", "-9223372036854775807"]);
  await sameOutputs(before, graph, { atol: 0 });
});

test.run();
