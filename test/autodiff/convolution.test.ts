import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { convGradient, convTransposeGradient } from "../../autodiff/conv.ts";
import { batchNormalizationGradient, layerNormalizationGradient } from "../../autodiff/normalization.ts";
import { averagePoolGradient, globalAveragePoolGradient, globalMaxPoolGradient, maxPoolGradient } from "../../autodiff/pooling.ts";
import { resizeGradient } from "../../autodiff/resize.ts";
import type { GradientRule } from "../../autodiff/rule.ts";
import { Builder } from "../../graph/builder.ts";
import { UserError } from "../../graph/error.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { runOnce } from "../../runtime/session.ts";

interface Case {
  readonly name: string;
  readonly op: keyof typeof rules;
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly shapes: readonly (readonly number[])[];
  readonly positive: readonly number[];
  readonly outputs: number;
  readonly constants: Readonly<Record<string, readonly number[]>>;
  readonly outputShape: readonly number[];
  readonly outputSum: number;
  readonly gradients: readonly (readonly number[] | null)[];
}

const rules = {
  Conv: convGradient, ConvTranspose: convTransposeGradient, MaxPool: maxPoolGradient, AveragePool: averagePoolGradient,
  GlobalAveragePool: globalAveragePoolGradient, GlobalMaxPool: globalMaxPoolGradient, Resize: resizeGradient,
  BatchNormalization: batchNormalizationGradient, LayerNormalization: layerNormalizationGradient,
} satisfies Record<string, GradientRule>;

const dySlot = 9;

/** The same numbers as test/fixtures/convolution/make.py. */
const valuesOf = (slot: number, shape: readonly number[], positive = false): Tensor => {
  const count = shape.reduce((n, dim) => n * dim, 1);
  return Tensor.float32(shape, Array.from({ length: count }, (_, i) => {
    const value = Math.sin(12.9898 * (i + 1) + 78.233 * (slot + 1));
    return positive ? 0.5 + value * value : value;
  }));
};

const declared = (shape: readonly number[], symbolic: boolean) => (symbolic ? ["N", ...shape.slice(1)] : shape);

/** A graph with the op's first output, dY and what the rule gives for each input; the batch is symbolic on request. */
const gradientGraph = (item: Case, symbolic: boolean): Graph => {
  const graph = new Graph("case", 17);
  const b = new Builder(graph, "g");
  const inputs: (Value | null)[] = item.shapes.map((shape, slot) => graph.addInput(`x${slot}`, "float32", declared(shape, symbolic && slot === 0)));
  for (const [slot, values] of Object.entries(item.constants)) {
    while (inputs.length < Number(slot)) inputs.push(null);
    inputs[Number(slot)] = b.constant(slot === "3" ? Tensor.int64([values.length], values) : Tensor.float32([values.length], values));
  }
  const y = b.ops(item.op, inputs, item.outputs, item.attributes)[0]!;
  y.shape = declared(item.outputShape, symbolic);
  const dy = graph.addInput("dy", "float32", y.shape);
  const parts = rules[item.op](b, y.producer!, [dy, ...new Array<null>(item.outputs - 1).fill(null)]);
  for (const [slot, part] of [y, ...item.shapes.map((_, index) => parts[index] ?? null)].entries()) {
    if (part) graph.outputs.push(b.op("Identity", [part]));
    if (part) graph.outputs[graph.outputs.length - 1]!.name = slot === 0 ? "y" : `d${slot - 1}`;
  }
  return graph;
};

const assertClose = (actual: ArrayLike<number>, expected: readonly number[], what: string): void => {
  const scale = Math.max(...expected.map(Math.abs), 1e-3);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / scale;
  assert.is(actual.length, expected.length, what);
  assert.ok(worst < 1e-4, `${what}: relative error ${worst}`);
};

const { cases } = JSON.parse(readFileSync(new URL("../fixtures/convolution/gradients.json", import.meta.url), "utf8")) as { cases: Case[] };

for (const item of cases)
  for (const symbolic of [false, true]) {
    if (symbolic && item.constants["3"]) continue; // sizes fix the batch
    test(`${item.name}${symbolic ? ", symbolic batch" : ""} matches PyTorch`, async () => {
      const feeds = Object.fromEntries(item.shapes.map((shape, slot) => [`x${slot}`, valuesOf(slot, shape, item.positive.includes(slot))]));
      const results = await runOnce(gradientGraph(item, symbolic), { ...feeds, dy: valuesOf(dySlot, item.outputShape) }, { threads: 1 });
      const sum = results["y"]!.floats.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - item.outputSum) < 1e-4 * Math.max(1, Math.abs(item.outputSum)), `forward: ${sum} is not ${item.outputSum}`);
      for (const [slot, expected] of item.gradients.entries()) {
        if (expected) assertClose(results[`d${slot}`]!.floats, expected, `d(input ${slot})`);
      }
    });
  }

test("an unknown spatial size is an error that names the node", () => {
  const graph = new Graph("case", 17);
  const b = new Builder(graph, "g");
  const y = b.op("Conv", [graph.addInput("x", "float32", ["N", 3, "H", "W"]), graph.addInput("w", "float32", [4, 3, 3, 3])]);
  const wrong = (error: unknown): boolean => error instanceof UserError && error.code === "MISSING_SIZE" && error.message.includes(y.producer!.name);
  assert.throws(() => convGradient(b, y.producer!, [y]), wrong);
});

test.run();
