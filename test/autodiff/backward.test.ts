import { test } from "uvu";
import * as assert from "uvu/assert";
import { backward } from "../../autodiff/backward.ts";
import { fusedRules } from "../../autodiff/fused.ts";
import { ruleOf } from "../../autodiff/lookup.ts";
import { stopGradient } from "../../autodiff/stop-gradient.ts";
import { Builder } from "../../graph/builder.ts";
import { UserError } from "../../graph/error.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { runOnce } from "../../runtime/session.ts";

const start = (shape: readonly (number | string)[] = [3]) => {
  const graph = new Graph("test", 17);
  const b = new Builder(graph);
  return { graph, b, x: graph.addInput("x", "float32", shape) };
};

const valueOf = async (graph: Graph, value: Value, x: readonly number[], shape = [x.length]): Promise<number[]> => {
  graph.outputs.splice(0, graph.outputs.length, value);
  return [...(await runOnce(graph, { x: Tensor.float32(shape, x) }))[value.name]!.floats];
};

const errorOf = (action: () => unknown): UserError => {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

const opsOf = (graph: Graph): string[] => [...graph.nodes].map(({ opType }) => opType);

test("the gradients of a value that several nodes read add up", async () => {
  const { graph, b, x } = start();
  const loss = b.add(b.mul(x, x), b.mul(x, 3));
  assert.equal(await valueOf(graph, backward(b, loss, [x]).get(x)!, [1, 2, -1]), [5, 7, 1]);
});

test("the loss itself may be asked for", async () => {
  const { graph, b, x } = start();
  const loss = b.exp(x);
  assert.equal(await valueOf(graph, backward(b, loss, [loss]).get(loss)!, [1, 2, 3]), [1, 1, 1]);
});

test("an inner value that is asked for does not stop the gradient of what lies before it", async () => {
  const { graph, b, x } = start();
  const inner = b.mul(x, 2);
  const gradients = backward(b, b.mul(inner, inner), [x, inner]);
  assert.equal(await valueOf(graph, gradients.get(inner)!, [1, 2, 3]), [4, 8, 12]);
  assert.equal(await valueOf(graph, gradients.get(x)!, [1, 2, 3]), [8, 16, 24]);
});

test("nothing flows through stopGradient, also after a save and a load", async () => {
  const { graph, b, x } = start();
  const y = b.mul(stopGradient(b, x), x);
  y.name = "y";
  graph.outputs.push(y);
  const loaded = parseModel(serializeModel(graph)).graph;
  const gradient = backward(new Builder(loaded, "grad"), loaded.outputs[0]!, [loaded.inputs[0]!]).get(loaded.inputs[0]!)!;
  assert.equal(await valueOf(loaded, gradient, [1, 2, 3]), [1, 2, 3]);
});

test("gradients that nobody asked for leave no node", () => {
  const { graph, b, x } = start([2, 3]);
  const w = b.constant(Tensor.float32([3, 4], new Float32Array(12)), "w");
  const loss = b.sum(b.matmul(x, w), undefined, false);
  const before = opsOf(graph).length;
  backward(b, loss, [w]);
  assert.is(opsOf(graph).slice(before).filter((op) => op === "MatMul").length, 1);
});

test("only nodes between wrt and loss need a rule", () => {
  const { graph, b, x } = start();
  const odd = graph.addNode({ opType: "NoSuchOp", name: "odd", inputs: [x], outputs: ["z"] }).out();
  const w = graph.addInitializer("w", Tensor.float32([3], [1, 2, 3]));
  backward(b, b.mul(odd, w), [w]);
  const error = errorOf(() => backward(b, b.mul(odd, w), [x]));
  assert.is(error.code, "NO_GRADIENT");
  assert.is(error.message, 'Cannot train through node "odd": NoSuchOp has no gradient rule.');
});

test("operators of other domains have no ai.onnx rule", () => {
  const { graph, b, x } = start();
  const other = graph.addNode({ opType: "Relu", domain: "com.example", name: "other", inputs: [x], outputs: ["z"] }).out();
  assert.is(errorOf(() => backward(b, other, [x])).code, "NO_GRADIENT");
});

test("names of Object.prototype are no operators", () => {
  const { graph, x } = start();
  const node = graph.addNode({ opType: "constructor", inputs: [x], outputs: ["z"] });
  assert.is(ruleOf(node), undefined);
  assert.not(Object.hasOwn(fusedRules, "constructor"));
});

test("a wrt that the loss does not depend on is refused, or zero on demand", async () => {
  const { graph, b, x } = start();
  const other = graph.addInitializer("other", Tensor.float32([2], [1, 2]));
  const loss = b.mul(x, x);
  assert.is(errorOf(() => backward(b, loss, [x, other])).code, "NOT_REACHED");
  assert.equal(await valueOf(graph, backward(b, loss, [other], { unreached: "zeros" }).get(other)!, [1, 2, 3]), [0, 0]);
});

test("a path through integers carries nothing", () => {
  const { b, x } = start();
  const loss = b.cast(b.cast(x, "int64"), "float32");
  assert.is(errorOf(() => backward(b, loss, [x])).code, "NOT_REACHED");
});

test("broadcasting with unknown shapes is undone at run time", async () => {
  const { graph, b, x } = start([1, "N"]);
  const hidden = graph.addNode({ opType: "Identity", inputs: [x], outputs: ["hidden"] }).out(); // no shape: nothing inferred it
  hidden.dtype = "float32";
  const loss = b.mul(hidden, b.constant(Tensor.float32([2, 1], [1, 10])));
  assert.equal(await valueOf(graph, backward(b, loss, [x]).get(x)!, [1, 2, 3], [1, 3]), [11, 11, 11]);
});

test("the SiLU rule fires on x·sigmoid(x) only", () => {
  const { b, x } = start();
  const z = b.exp(x);
  const rule = fusedRules.Mul;
  const [silu, gated] = [b.silu(x), b.mul(z, b.sigmoid(x))];
  assert.ok(rule(b, silu.producer!, [x]));
  assert.is(rule(b, gated.producer!, [x]), undefined);
});

test("the straight-through rule fires on a Q/DQ pair only", () => {
  const { graph, b, x } = start();
  const scale = b.scalar(0.1);
  const weight = graph.addInitializer("w", Tensor.from("int8", [3], [1, 2, 3]));
  const loss = b.mul(b.op("DequantizeLinear", [weight, scale]), x);
  assert.ok(backward(b, loss, [x]));
  assert.is(fusedRules.DequantizeLinear(b, loss.producer!.in(0).producer!, [x]), undefined);
});

test("per-channel fake quantization has the scale's shape in its gradient", async () => {
  const { graph, b, x } = start([2, 3]);
  const scale = b.constant(Tensor.float32([2], [0.1, 0.01]), "scale");
  const zero = b.constant(Tensor.from("int8", [2], [0, 0]));
  const y = b.op("DequantizeLinear", [b.op("QuantizeLinear", [x, scale, zero], { axis: 0 }), scale, zero], { axis: 0 });
  const gradients = backward(b, y, [x, scale]);
  const values = [0.52, -3, 20, 0.5, -1.27, 2];
  assert.equal(await valueOf(graph, gradients.get(x)!, values, [2, 3]), [1, 1, 0, 1, 1, 0]);
  const dScale = await valueOf(graph, gradients.get(scale)!, values, [2, 3]);
  // round(v) − v inside, 127 above (Esser 2020): 5 − 5.2 + 0 + 127 and 0 + 0 + 127
  assert.ok(Math.abs(dScale[0]! - 126.8) < 1e-3 && Math.abs(dScale[1]! - 127) < 1e-3, String(dScale));
});

test.run();
