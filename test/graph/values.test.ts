import { test } from "uvu";
import * as assert from "uvu/assert";
import { inferShapes, partialValue } from "../../graph/shapes.ts";
import { valueRules } from "../../graph/shapes/values.ts";
import { parseGraph } from "../../graph/text.ts";
import { runOnce } from "../../runtime/session.ts";
import { seededFeeds } from "../helpers/models.ts";
import { valueCases } from "./value-cases.ts";

for (const text of valueCases) test(text, async () => {
  const graph = parseGraph(text);
  inferShapes(graph, { overwrite: true });
  const known = partialValue(graph.outputs[0]!);
  graph.outputs[0]!.shape = undefined;
  const truth = (await runOnce(graph, seededFeeds(graph), { optimization: "disabled" }))["y"]!;
  assert.equal(known?.shape, truth.shape);
  const numbers = Array.from(truth.data as Iterable<number | bigint>, Number);
  if (truth.dtype === "float32") for (const [index, number] of numbers.entries()) assert.ok(Math.abs(Number(known!.elements[index]) - number) <= Math.abs(number) * 1e-7, `${known!.elements.join()} for ${numbers.join()}`);
  else assert.equal(known!.elements, numbers);
});

test("every op of shape arithmetic has a case", () => {
  const covered = new Set(valueCases.flatMap((text) => [...parseGraph(text).nodes].map(({ opType }) => opType)));
  assert.equal(Object.keys(valueRules).filter((op) => !covered.has(op)), []);
});

test("what cannot be exact is left open: sums beyond 2^53, casts out of range, half of a symbolic size", () => {
  const elements = (body: string): readonly unknown[] | undefined => {
    const graph = parseGraph(`(x: f32[N,3]) { ${body} } -> y`);
    inferShapes(graph);
    return partialValue(graph.outputs[0]!)?.elements;
  };
  const unknown = ["?y[0]"];
  assert.equal(elements(`const k: i64[1] = [9007199254740992] const o: i64[1] = [1] y = Add(k, o)`), unknown);
  assert.equal(elements(`const k: f32[1] = [3000000000.5] y = Cast<to=6>(k)`)?.length, 1);
  assert.equal(elements(`const k: i64[1] = [9223372036854775807] y = Cast<to=6>(k)`), unknown);
  assert.equal(elements(`const h: f32[1] = [0.5] const z: i64[1] = [0] s = Shape(x) n = Gather(s, z) f = Cast<to=1>(n) m = Mul(f, h) y = Floor(m)`), unknown);
  assert.equal(elements(`const k: i64[1] = [0] const z: i64[1] = [0] y = Div(k, z)`), unknown);
});

test.run();
