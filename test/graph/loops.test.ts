import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../graph/error.ts";
import { checkLoops, mostRounds } from "../../graph/loops.ts";
import { parseGraph } from "../../graph/text.ts";

const check = (text: string): string | undefined => {
  try {
    checkLoops(parseGraph(text));
    return undefined;
  } catch (error) {
    return (error as UserError).code;
  }
};

/** A model whose body is `y = Loop(count, start, x)`; `answer` computes the body's condition. */
const loop = ({ count = "_", start = "_", answer = "on = Identity(c)", inner = "w = Identity(v)" }): string => `(x: f32[], n: i64[], p: bool[], s: f32[200000,2]) {
  const yes: bool[] = [1]
  const no: bool[] = [0]
  const few: i64[1] = [1000]
  const many: i64[] = [${mostRounds + 1}]
  const most: i64[] = [9223372036854775807]
  y = Loop<body=graph b (i: i64[], c: bool[], v: f32[]) { ${answer} ${inner} } -> (on, w)>(${count}, ${start}, x)
} -> y`;
const nested = (count: string): string => `w = Loop<body=graph d (j: i64[], e: bool[], u: f32[]) { f = Identity(e) t = Identity(u) } -> (f, t)>(${count}, yes, v)`;
const never = "w = Loop<body=graph d (j: i64[], e: bool[], u: f32[]) { f = Identity(e) t = Identity(u) } -> (f, t)>(_, _, v)";

for (const [name, given] of [
  ["no count, no condition", {}],
  ["a condition that is always true", { start: "yes" }],
  ["a body that always says yes", { start: "yes", answer: "on = Identity(yes)" }],
  ["a body that says yes by logic", { start: "yes", answer: "no1 = Not(yes) on0 = Or(no1, yes) on = And(on0, yes)" }],
  ["a count that is too large", { count: "many", start: "yes" }],
  ["the largest count", { count: "most" }],
  ["1,000 times 1,000 times 1,000", { count: "few", start: "yes", inner: `w = Loop<body=graph d (j: i64[], e: bool[], u: f32[]) { f = Identity(e) ${nested("few").replace("w =", "t =").replace("(few, yes, v)", "(few, yes, u)").replaceAll("graph d (j: i64[], e: bool[], u: f32[]) { f = Identity(e) t = Identity(u) } -> (f, t)", "graph d2 (j2: i64[], e2: bool[], u2: f32[]) { f2 = Identity(e2) t2 = Identity(u2) } -> (f2, t2)")} } -> (f, t)>(few, yes, v)` }],
  ["endless inside one that ends", { count: "few", start: "yes", inner: never }],
  ["endless in both branches of an If", { count: "few", start: "yes", inner: `w = If<then_branch=graph g () { ${never.replaceAll("w =", "q =")} } -> q, else_branch=graph h () { ${never.replaceAll("w =", "r =")} } -> r>(p)` }],
  ["endless in the branch that is always taken", { count: "few", start: "yes", inner: `w = If<then_branch=graph g () { ${never.replaceAll("w =", "q =")} } -> q, else_branch=graph h () { r = Identity(v) } -> r>(yes)` }],
] as const) test(`refused before it is run: ${name}`, () => assert.is(check(loop(given)), "ENDLESS_LOOP"));

for (const [name, given] of [
  ["a count", { count: "few", start: "yes" }],
  ["a count that depends on the input", { count: "n", start: "yes" }],
  ["a condition that depends on the input", { start: "p" }],
  ["a while loop as PyTorch exports it", { count: "most", start: "yes", answer: "on = Less(v, x)" }],
  ["a condition that is false", { start: "no", inner: never }],
  ["1,000 times 1,000", { count: "few", start: "yes", inner: nested("few") }],
  ["endless in a branch that may not be taken", { count: "few", start: "yes", inner: `w = If<then_branch=graph g () { ${never.replaceAll("w =", "q =")} } -> q, else_branch=graph h () { r = Identity(v) } -> r>(p)` }],
] as const) test(`run, with the time limit: ${name}`, () => assert.is(check(loop(given)), undefined));

test("a Scan over a long axis multiplies what is inside", () => {
  const scan = (count: number): string => `(x: f32[], s: f32[200000,2]) { const few: i64[] = [${count}] const yes: bool[] = [1]
    y, z = Scan<num_scan_inputs=1, body=graph b (v: f32[], r: f32[2]) { w = Loop<body=graph d (j: i64[], e: bool[], u: f32[]) { f = Identity(e) t = Identity(u) } -> (f, t)>(few, yes, v) q = Relu(r) } -> (w, q)>(x, s) } -> y, z`;
  assert.is(check(scan(100)), "ENDLESS_LOOP");
  assert.is(check(scan(10)), undefined);
});

test("the refusal names file, node and rule", () => {
  const graph = parseGraph(loop({}));
  graph.origin = "model.onnx";
  assert.throws(() => { checkLoops(graph); }, (error: UserError) => error.message === `model.onnx: Loop "y" never ends: its condition is always true. No more than 10,000,000 rounds are run.`);
});

test("thousands of ops of logic cost nothing", () => {
  const chain = Array.from({ length: 3000 }, (_, at) => `a${at + 1} = And(a${at}, a${at})`).join("\n");
  assert.is(check(loop({ start: "yes", answer: `a0 = Identity(c) ${chain} on = Identity(a3000)` })), undefined);
});

test.run();
