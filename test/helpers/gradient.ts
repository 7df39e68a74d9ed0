import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import * as assert from "uvu/assert";
import { backward } from "../../autodiff/backward.ts";
import { Builder, type Attributes } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { elementCount, Tensor, type DataType } from "../../graph/tensor.ts";
import { openSession, runOnce, type Session } from "../../runtime/session.ts";

/**
 * One input of a case: a shape (random in [-1, 1], gradient checked), a shape with a range, contents (gradient checked where float32),
 * a Tensor (a constant without gradient), or null (left out).
 */
export type CaseInput =
  | readonly number[]
  | { readonly shape: readonly number[]; readonly low?: number; readonly high?: number }
  | { readonly shape: readonly number[]; readonly values: readonly number[]; readonly dtype?: DataType }
  | Tensor
  | null;

export interface GradientCase {
  /** The row of `gradientRules` that the case covers. */
  readonly op: string;
  /** What is special about it; unique per op. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly attributes?: Attributes;
  /** Outputs of the node (default 1). All float outputs enter the loss, unless `lossOutputs` says which. */
  readonly outputs?: number;
  readonly lossOutputs?: readonly number[];
  /** Instead of one node `op(inputs, attributes)`: any graph whose results are `op`'s story. */
  readonly build?: (b: Builder, inputs: readonly (Value | null)[]) => readonly Value[];
  readonly opset?: number;
  /** Declares every dimension of the inputs symbolic, to take the run-time paths. */
  readonly symbolic?: boolean;
  /** Step of the finite difference (default 1e-2) and the accepted |analytic − numeric| relative to the largest gradient (default 1e-2). */
  readonly step?: number;
  readonly tolerance?: number;
  readonly seed?: number;
}

/** Compares `backward` with central finite differences for every float input of the case; loss = Σ weightᵢ·outputᵢ with fixed random weights. */
export const checkGradient = async (spec: GradientCase): Promise<void> => {
  const forward = caseGraph(spec);
  const session = await openSession(forward.graph, { threads: 1, optimization: "basic" });
  try {
    const outputs = await session.run(forward.feeds);
    const weights = weightsFor(outputs, spec.seed ?? 7);
    const analytic = await analyticGradients(spec, outputs, weights);
    for (const [name, gradient] of Object.entries(analytic)) {
      const feed = forward.feeds[name]!;
      assert.equal(gradient.shape, feed.shape, `${label(spec)}: shape of d/d${name}`);
      const numeric = await finiteDifferences(session, forward.feeds, name, weights, spec.step ?? 1e-2);
      assertClose(gradient.floats, numeric, spec.tolerance ?? 1e-2, `${label(spec)}: d/d${name}`);
    }
  } finally {
    await session.close();
  }
};

/** |actual − expected| ≤ tolerance · max(1, largest |expected|), elementwise; prints the worst element. */
export const assertClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.is(actual.length, expected.length, `${what}: length`);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let index = 0; index < expected.length; index++) {
    const error = Math.abs(actual[index]! - expected[index]!) / scale;
    assert.ok(error <= tolerance, `${what}[${index}]: ${actual[index]}, expected ${expected[index]} (error ${error} of the largest, allowed ${tolerance})`);
  }
};

/** The forward graph of a case (outputs `y0…` that enter the loss) with its feeds. */
export const caseGraph = (spec: GradientCase) => {
  const random = uniform(spec.seed ?? 7);
  const graph = new Graph("case", spec.opset ?? 17);
  const b = new Builder(graph, "case");
  const feeds: Record<string, Tensor> = {};
  const wrt: Value[] = [];
  const inputs = spec.inputs.map((input, index) => {
    if (input === null) return null;
    if (input instanceof Tensor) return b.constant(input);
    const tensor = tensorOf(input, random);
    const name = `x${index}`;
    const value = graph.addInput(name, tensor.dtype, spec.symbolic ? tensor.shape.map((_, axis) => `${name}_${axis}`) : tensor.shape);
    feeds[name] = tensor;
    if (tensor.dtype === "float32") wrt.push(value);
    return value;
  });
  const made = spec.build ? spec.build(b, inputs) : b.ops(spec.op, inputs, spec.outputs ?? 1, spec.attributes ?? {});
  const read = made.filter((_, index) => !spec.lossOutputs || spec.lossOutputs.includes(index));
  for (const [index, output] of read.entries()) graph.outputs.push(named(b, output, `y${index}`));
  return { graph, b, feeds, wrt, read };
};

const analyticGradients = async (spec: GradientCase, outputs: Record<string, Tensor>, weights: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
  const { graph, b, feeds, wrt, read } = caseGraph(spec);
  const terms = read.map((output, index) => {
    const weight = graph.addInput(`w${index}`, "float32", output.shape ?? outputs[`y${index}`]!.shape);
    return b.op("ReduceSum", [b.mul(output, weight)], { keepdims: 0 });
  });
  const gradients = backward(b, terms.length === 1 ? terms[0]! : b.op("Sum", terms), wrt);
  graph.outputs.length = 0;
  for (const value of wrt) graph.outputs.push(named(b, gradients.get(value)!, `grad/${value.name}`));
  const results = await runOnce(graph, { ...feeds, ...weights }, { threads: 1 });
  return Object.fromEntries(wrt.map(({ name }) => [name, results[`grad/${name}`]!]));
};

const weightsFor = (outputs: Record<string, Tensor>, seed: number): Record<string, Tensor> => {
  const random = uniform(seed + 1);
  return Object.fromEntries(Object.entries(outputs).map(([name, { shape, size }]) =>
    [name.replace("y", "w"), Tensor.float32(shape, Array.from({ length: size }, () => 2 * random() - 1))]));
};

const finiteDifferences = async (session: Session, feeds: Record<string, Tensor>, name: string, weights: Record<string, Tensor>, step: number): Promise<number[]> => {
  const values = Float32Array.from(feeds[name]!.floats);
  const lossAt = async (index: number, value: number): Promise<{ loss: number; at: number }> => {
    const kept = values[index]!;
    values[index] = value;
    const at = values[index];
    const outputs = await session.run({ ...feeds, [name]: Tensor.float32(feeds[name]!.shape, values) });
    values[index] = kept;
    const loss = Object.entries(outputs).reduce((sum, [output, { floats }]) =>
      sum + floats.reduce((part, y, i) => part + y * weights[output.replace("y", "w")]!.floats[i]!, 0), 0);
    return { loss, at };
  };
  const slopes: number[] = [];
  for (const [index, value] of [...values].entries()) {
    const [up, down] = [await lossAt(index, value + step), await lossAt(index, value - step)];
    slopes.push((up.loss - down.loss) / (up.at - down.at));
  }
  return slopes;
};

const tensorOf = (input: Exclude<CaseInput, Tensor | null>, random: () => number): Tensor => {
  if (!("shape" in input)) return tensorOf({ shape: input }, random);
  if ("values" in input) return Tensor.from(input.dtype ?? "float32", input.shape, input.values);
  const { low = -1, high = 1 } = input;
  return Tensor.float32(input.shape, Array.from({ length: elementCount(input.shape) }, () => low + (high - low) * random()));
};

/** The graph output `name`: an Identity, so that inputs and shared values can be outputs too. */
const named = (b: Builder, value: Value, name: string): Value => {
  const output = b.op("Identity", [value]);
  output.name = name;
  return output;
};

/** Numbers in [0, 1) from a seed. */
const uniform = (seed: number): (() => number) => {
  const generator = xoroshiro128plus(seed);
  return () => (generator.next() >>> 0) / 2 ** 32;
};

const label = ({ op, name }: GradientCase): string => `${op} (${name})`;
