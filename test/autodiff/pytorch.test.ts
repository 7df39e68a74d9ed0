import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { backward } from "../../autodiff/backward.ts";
import { iouLoss, type IouKind } from "../../autodiff/box-losses.ts";
import * as losses from "../../autodiff/losses.ts";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { runOnce } from "../../runtime/session.ts";
import { assertClose } from "../helpers/gradient.ts";

interface Packed {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Fixture {
  readonly inputs: readonly Packed[];
  readonly constants: readonly Packed[];
  readonly value: Packed;
  readonly weights: Packed;
  readonly gradients: readonly Packed[];
}

type OpFixture = Fixture & { readonly op: string; readonly attributes: Readonly<Record<string, number | string | readonly number[]>> };
type LossFixture = Fixture & { readonly loss: string; readonly options: Readonly<Record<string, number | string>> };

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../fixtures/autodiff/${name}.json`, import.meta.url), "utf8")) as T;
const tensor = ({ shape, values }: Packed): Tensor => Tensor.float32(shape, values);

/** Value and gradients of Σ weights·value, against the fixture, to 1e-5 of the largest element. */
const check = async (fixture: Fixture, opset: number, build: (b: Builder, inputs: readonly Value[]) => Value, what: string): Promise<void> => {
  const graph = new Graph("pytorch", opset);
  const b = new Builder(graph);
  const inputs = fixture.inputs.map(({ shape }, index) => graph.addInput(`x${index}`, "float32", shape));
  const constants = fixture.constants.map((constant) => b.constant(tensor(constant)));
  const value = build(b, [...inputs, ...constants]);
  const gradients = backward(b, b.mul(value, b.constant(tensor(fixture.weights))), inputs);
  graph.outputs.push(value, ...inputs.map((input) => gradients.get(input)!));
  const results = await runOnce(graph, Object.fromEntries(fixture.inputs.map((input, index) => [`x${index}`, tensor(input)])), { threads: 1 });
  assertClose(results[value.name]!.floats, fixture.value.values, 1e-5, `${what}: value`);
  assert.equal(results[value.name]!.shape, fixture.value.shape, `${what}: shape`);
  for (const [index, input] of inputs.entries())
    assertClose(results[gradients.get(input)!.name]!.floats, fixture.gradients[index]!.values, 1e-5, `${what}: gradient ${index}`);
};

const floatAttributes = ["alpha", "beta"];
const opsetOf: Readonly<Record<string, number>> = { Gelu: 20, Mish: 18 };

for (const [index, fixture] of read<OpFixture[]>("ops").entries())
  test(`${fixture.op} ${JSON.stringify(fixture.attributes)} (${index}) has PyTorch's gradient`, () =>
    check(fixture, opsetOf[fixture.op] ?? 17, (b, inputs) => b.op(fixture.op, inputs, Object.fromEntries(Object.entries(fixture.attributes).map(([name, value]) =>
      [name, floatAttributes.includes(name) ? { type: "float", value: value as number } as const : value]))), fixture.op));

type Loss = (b: Builder, x: Value, target: Value, options: Record<string, number>) => Value;

const lossOf = ({ loss, options }: LossFixture): ((b: Builder, x: Value, target: Value) => Value) => {
  if (loss === "iouLoss") return (b, x, target) => iouLoss(b, x, target, options["kind"] as IouKind);
  return (b, x, target) => (losses[loss as keyof typeof losses] as unknown as Loss)(b, x, target, options as Record<string, number>);
};

const lossFixtures = read<LossFixture[]>("losses");

for (const [index, fixture] of lossFixtures.entries())
  test(`${fixture.loss} ${JSON.stringify(fixture.options)} (${index}) has PyTorch's value and gradient`, () =>
    check(fixture, 17, (b, [x, target]) => lossOf(fixture)(b, x!, target!), fixture.loss));

test("every loss has a fixture", () => {
  const covered = new Set(lossFixtures.map(({ loss }) => loss));
  assert.equal(Object.keys(losses).filter((name) => !covered.has(name) && name !== "binWeights"), []);
});

test("the gradient passes a Q/DQ pair as in PyTorch's fake quantization, the scale gets LSQ's", async () => {
  const fixture = read<{ x: Packed; scale: number; value: Packed; weights: Packed; dx: Packed; dScale: number }>("fake-quantize");
  const graph = new Graph("quantize", 17);
  const b = new Builder(graph);
  const x = graph.addInput("x", "float32", fixture.x.shape);
  const scale = b.constant(Tensor.float32([], [fixture.scale]));
  const zero = b.constant(Tensor.from("int8", [], [0]));
  const y = b.op("DequantizeLinear", [b.op("QuantizeLinear", [x, scale, zero]), scale, zero]);
  const gradients = backward(b, b.mul(y, b.constant(tensor(fixture.weights))), [x, scale]);
  graph.outputs.push(y, gradients.get(x)!, gradients.get(scale)!);
  const results = await runOnce(graph, { x: tensor(fixture.x) }, { threads: 1, optimization: "disabled" });
  assertClose(results[y.name]!.floats, fixture.value.values, 1e-6, "value");
  assertClose(results[gradients.get(x)!.name]!.floats, fixture.dx.values, 1e-6, "dx");
  assertClose(results[gradients.get(scale)!.name]!.floats, [fixture.dScale], 1e-5, "dScale");
});

test.run();
