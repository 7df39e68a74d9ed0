import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseGraph } from "../../graph/text.ts";
import { removeDeadNodes } from "../../rewrite/dead.ts";
import { applyUntilStable, rewritePass, rule, sequence } from "../../rewrite/rule.ts";
import { sameOutputs } from "../helpers/models.ts";

const doubleNegation = rule({
  name: "double-negation",
  match: (node) => {
    const inner = node.opType === "Neg" ? node.in(0).producer : null;
    return inner?.opType === "Neg" ? inner : undefined;
  },
  refuse: (inner) => (inner.out().uses.size > 1 ? `"${inner.out().name}" is read elsewhere` : undefined),
  replace: (_b, inner) => [inner.in(0)],
});
const fourNegations = () => parseGraph(`(x: f32[3]) { r = Relu(x) a = Neg(r) b = Neg(a) c = Neg(b) d = Neg(c) y = Exp(d) } -> y`);

test("a pass leaves its input alone, reports each change and removes what died", async () => {
  const before = fourNegations();
  const { graph, report } = rewritePass("negations", [doubleNegation])(before);
  assert.is(before.nodes.size, 6);
  assert.equal([...graph.nodes].map((node) => node.opType), ["Relu", "Exp"]);
  assert.equal(report.nodes, [6, 2]);
  assert.is(report.applied.length, 2);
  await sameOutputs(before, graph, { atol: 0 });
});

test("a limit stops after so many changes", () => {
  const graph = fourNegations();
  assert.is(applyUntilStable(graph, [doubleNegation], { limit: 1 }).applied.length, 1);
  assert.is([...graph.nodes].filter((node) => node.opType === "Neg").length >= 2, true);
});

test("a refusal is reported with its reason and changes nothing", () => {
  const { graph, report } = rewritePass("negations", [doubleNegation])(parseGraph(`(x: f32[3]) { a = Neg(x) b = Neg(a) y = Add(a, b) } -> y`));
  assert.is(graph.nodes.size, 3);
  assert.equal(report.refused, [{ rule: "double-negation", node: "b", detail: `"a" is read elsewhere` }]);
});

test("a graph output keeps its name; where it cannot, the rule does not fire", () => {
  const pass = rewritePass("negations", [doubleNegation]);
  const kept = pass(parseGraph(`(x: f32[3]) { r = Relu(x) a = Neg(r) y = Neg(a) } -> y`)).graph;
  assert.equal([kept.nodes.size, kept.outputs[0]!.name, kept.outputs[0]!.producer!.opType], [1, "y", "Relu"]);
  const stuck = pass(parseGraph(`(x: f32[3]) { a = Neg(x) y = Neg(a) } -> y`));
  assert.is(stuck.graph.nodes.size, 2);
  assert.match(stuck.report.refused[0]!.detail, "must keep its name");
});

test("dead nodes go, chains and subgraphs too", () => {
  const { graph, report } = removeDeadNodes(parseGraph(`(c: bool[], x: f32[3]) {
    a = Neg(x) b = Exp(a)
    z = If<then_branch=graph t () { p = Relu(a) } -> p, else_branch=graph e () { q = Neg(b) } -> q>(c)
    y = Relu(x)
  } -> y`));
  assert.equal([...graph.nodes].map((node) => node.opType), ["Relu"]);
  assert.equal(report.nodes, [4, 1]);
});

test("a sequence of passes adds up", () => {
  const { report } = sequence("both", [removeDeadNodes, rewritePass("negations", [doubleNegation])])(fourNegations());
  assert.equal([report.nodes, report.applied.length], [[6, 2], 2]);
});

test.run();
