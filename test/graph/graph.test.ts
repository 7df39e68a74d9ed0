import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkGraph } from "../../graph/check.ts";
import { parseGraph } from "../../graph/text.ts";
import { Tensor } from "../../graph/tensor.ts";
import { Graph } from "../../graph/graph.ts";
import { keepingTypes } from "../../graph/keeping-types.ts";
import { countMacs } from "../../graph/macs.ts";
import type { Node, Value } from "../../graph/node.ts";

const chain = () => {
  const graph = parseGraph(`(x: f32[2]) { a = Relu(x) b = Neg(a) c = Add(a, b) } -> c, a`);
  const [a, b, c] = [...graph.nodes] as [Node, Node, Node];
  return { graph, a, b, c };
};

test("uses follow every edit; replacing all uses reaches graph outputs and spares the exception", () => {
  const { graph, a, b, c } = chain();
  const twice = graph.addNode({ opType: "Add", inputs: [a.out(), a.out()], outputs: ["d"] });
  assert.is(a.out().uses.size, 4);
  assert.equal(a.out().readers, [b, c, twice]);
  graph.replaceAllUses(a.out(), twice.out(), twice);
  assert.equal([b.in(0), c.in(0), graph.outputs[1], twice.in(0)], [twice.out(), twice.out(), twice.out(), a.out()]);
  checkGraph(graph);
});

test("a node that is needed is not removed, and nothing changes; one that is not lets go of its inputs", () => {
  const { graph, a, b } = chain();
  for (const node of [a, b]) assert.throws(() => graph.removeNode(node), /still used/);
  assert.is(graph.nodes.size, 3);
  const extra = graph.addNode({ opType: "Abs", inputs: [b.out()], outputs: ["e"] });
  graph.removeNode(extra);
  assert.is(b.out().readers.includes(extra), false);
  assert.throws(() => graph.removeNode(extra), /is not in graph/);
  checkGraph(graph);
});

test("whether a value is an output is known after every kind of change of the list", () => {
  const { graph, a, b, c } = chain();
  const are = () => [a, b, c].map((node) => graph.isOutput(node.out()));
  assert.equal(are(), [true, false, true]);
  graph.outputs[0] = b.out();
  assert.equal(are(), [true, true, false]);
  graph.outputs.push(c.out(), b.out());
  assert.equal(are(), [true, true, true]);
  graph.replaceAllUses(b.out(), a.out());
  assert.equal(are(), [true, false, true]);
  assert.equal(graph.outputs.map(({ name }) => name), ["a", "a", "c", "a"]);
  graph.outputs.splice(0, 4, b.out());
  assert.equal(are(), [false, true, false]);
  graph.outputs.length = 0;
  assert.equal(are(), [false, false, false]);
  graph.outputs.unshift(a.out());
  assert.equal(graph.clone().outputs.map(({ name }) => name), ["a"]);
  assert.equal(are(), [true, false, false]);
});

test("the execution order is found anew after an edge, a node or a body changes", () => {
  const { graph, a } = chain();
  const order = graph.sorted();
  order.pop();
  assert.is(graph.sorted().length, 3);
  const constant = graph.addNode({ opType: "Constant", inputs: [], outputs: ["k"] });
  assert.ok(graph.sorted().includes(constant));
  graph.removeNode(constant);
  assert.is(graph.sorted().includes(constant), false);
  const branching = graph.addNode({ opType: "If", inputs: [graph.inputs[0]!], outputs: ["i"] });
  const late = graph.addNode({ opType: "Abs", inputs: [a.out()], outputs: ["l"] });
  const body = new Graph("body");
  body.outputs.push(late.out());
  assert.ok(graph.sorted().indexOf(branching) < graph.sorted().indexOf(late));
  branching.attributes.set("then_branch", { type: "graph", value: body });
  assert.ok(graph.sorted().indexOf(late) < graph.sorted().indexOf(branching));
});

test("types are as before after a count of MACs and after a check that fails", () => {
  const graph = parseGraph(`(x: f32[n,3,4,4]) { const w: f32[2,3,1,1] = [1, 2, 3, 4, 5, 6] y = Conv(x, w) z = Relu(y) } -> z`);
  const types = () => graph.values.map(({ name, dtype, shape }) => `${name}: ${String(dtype)}[${shape?.join()}]`);
  const before = types();
  assert.is(countMacs(graph).macs, 96);
  assert.equal(types(), before);
  assert.throws(() => keepingTypes(graph, () => { graph.outputs[0]!.shape = [7]; throw new Error("stop"); }), /stop/);
  assert.equal(types(), before);
});

test("execution order: whatever the order of insertion; a cycle is found; long chains do not overflow", () => {
  const { graph, a, c } = chain();
  const late = graph.addNode({ opType: "Abs", inputs: [graph.inputs[0]!], outputs: ["l"] });
  a.replaceInput(0, late.out());
  assert.ok(graph.sorted().indexOf(late) < graph.sorted().indexOf(a));
  late.replaceInput(0, c.out());
  assert.throws(() => graph.sorted(), /cycle/);
  const long = new Graph("long", 17);
  let value = long.addInput("x", "float32", [1]);
  for (let i = 0; i < 50_000; i++) value = long.addNode({ opType: "Relu", inputs: [value], outputs: [`v${i}`] }).out();
  long.outputs.push(value);
  assert.is(long.sorted().length, 50_000);
  assert.is(long.clone().nodes.size, 50_000);
});

test("slots: optional ones are left out, trailing ones are added, a gap is refused", () => {
  const { a, graph } = chain();
  a.replaceInput(1, null);
  a.replaceInput(2, graph.inputs[0]!);
  assert.equal([a.optionalIn(1), a.optionalIn(2), a.optionalIn(9)], [undefined, graph.inputs[0], undefined]);
  assert.throws(() => a.replaceInput(7, null), /no slot 7/);
  assert.throws(() => a.in(1), /no input 1/);
});

test("a clone shares tensors and nothing else", () => {
  const graph = parseGraph(`(x: f32[2]) { const w: f32[2] = [1, 2] a = Add(x, w) } -> a`);
  graph.metadata.set("key", "value");
  const mapping = new Map<Value, Value>();
  const copy = graph.clone(mapping);
  checkGraph(copy);
  const w = graph.find("w")!;
  assert.is(copy.find("w")!.tensor, w.tensor);
  assert.is(mapping.get(w), copy.find("w"));
  copy.find("w")!.tensor = Tensor.float32([2], [0, 0]);
  copy.metadata.set("key", "other");
  copy.replaceAllUses(copy.outputs[0]!, copy.inputs[0]!);
  copy.removeNode([...copy.nodes][0]!);
  assert.equal([graph.nodes.size, copy.nodes.size, graph.metadata.get("key"), [...w.tensor!.floats]], [1, 0, "value", [1, 2]]);
});

test.run();
