import { test } from "uvu";
import * as assert from "uvu/assert";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { precisionOf, sessionKey } from "../../pipeline/models/session.ts";

const graphOf = (op: "Relu" | "DequantizeLinear", session?: string): Graph => {
  const graph = new Graph(op, 17);
  const b = new Builder(graph, "made");
  const x = graph.addInput("x", op === "Relu" ? "float32" : "int8", [1, 4]);
  graph.outputs.push(op === "Relu" ? b.op("Relu", [x]) : b.op(op, [x, b.constant(Tensor.float32([], [0.1]))]));
  if (session !== undefined) graph.metadata.set(sessionKey, session);
  return graph;
};

test("a file is int8 by what it computes, not by the session that it needs", () => {
  assert.is(precisionOf(graphOf("DequantizeLinear", "{}")), "int8");
  assert.is(precisionOf(graphOf("DequantizeLinear")), "int8");
  assert.is(precisionOf(graphOf("Relu", '{"session.x64quantprecision": "1"}')), "float32");
});

test.run();
