import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkGraph, graphProblems } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import { Value, type Use } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseGraph } from "../../graph/text.ts";
import { testWithModel } from "../helpers/models.ts";

const sound = (): Graph => parseGraph(`(x: f32[2]) { const w: f32[2] = [1, 2] a = Add(x, w) b = Relu(a) y = Neg(b) } -> y`);
const usesOf = (value: Value): Set<Use> => value.uses as Set<Use>;

test("a sound graph has no problems", () => assert.equal(graphProblems(sound()), []));

const broken: Readonly<Record<string, (graph: Graph) => void>> = {
  "use-def": (graph) => usesOf(graph.find("a")!).clear(),
  "def-use": (graph) => usesOf(graph.find("x")!).add({ node: graph.find("y")!.producer!, slot: 0 }),
  "acyclic": (graph) => graph.find("a")!.producer!.replaceInput(0, graph.find("b")!),
  "sources": (graph) => graph.find("b")!.producer!.replaceInput(0, new Value("lost", { dtype: "float32", shape: [2] })),
  "ports": (graph) => graph.outputs.push(graph.addInitializer(graph.outputs[0]!.name, Tensor.float32([1], [1]))),
  "contents": (graph) => { graph.find("w")!.shape = [3]; },
};
for (const [name, damage] of Object.entries(broken))
  test(`${name}: the damage is found`, () => {
    const graph = sound();
    damage(graph);
    assert.ok(graphProblems(graph).some((problem) => problem.startsWith(name)), graphProblems(graph).join("\n"));
    assert.throws(() => checkGraph(graph), /^bug: /);
  });

test("an output of a removed node is missed", () => {
  const graph = parseGraph(`(x: f32[2]) { a = Relu(x) y = Neg(a) } -> y`);
  const y = graph.outputs.pop()!;
  graph.removeNode(y.producer!);
  graph.outputs.push(y);
  assert.ok(graphProblems(graph).some((problem) => problem.includes("the graph's outputs")));
});

test("bodies may read the enclosing graph and nothing else", () => {
  const text = `(c: bool[], x: f32[2]) { a = Abs(x) y = If<then_branch=graph t () { p = Relu(a) } -> p, else_branch=graph e () { q = Neg(x) } -> q>(c) } -> y`;
  assert.equal(graphProblems(parseGraph(text)), []);
  const graph = parseGraph(text);
  const branch = graph.outputs[0]!.producer!.attributes.get("then_branch");
  if (branch?.type !== "graph") throw new Error("no branch");
  [...branch.value.nodes][0]!.replaceInput(0, new Value("stranger", { dtype: "float32", shape: [2] }));
  assert.ok(graphProblems(graph).some((problem) => problem.startsWith("subgraphs")));
});

for (const path of ["models/yolov8n_320.onnx", "text/bert-mini-sst2/model.onnx"])
  testWithModel(path, "loads sound, clones sound", (graph) => {
    assert.equal([...graphProblems(graph), ...graphProblems(graph.clone())], []);
    return Promise.resolve();
  });

test.run();
