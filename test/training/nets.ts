import { readFileSync } from "node:fs";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import type { Dim } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { inProcessSource, type Batch, type BatchSource } from "../../training/batches.ts";
import type { TrainingOptions } from "../../training/options.ts";
import { adamw } from "../../training/options.ts";
import type { TrainingProblem } from "../../training/problem.ts";

interface Numbers { readonly x: number[]; readonly y: number[] }
interface Run { readonly losses: number[]; readonly weights: number[][]; readonly norms: number[]; readonly rates: number[]; readonly average?: number[][] }
interface Fixture {
  readonly mlp: { readonly initial: number[][]; readonly batches: Numbers[]; readonly cases: Record<"adamw" | "adamw-clip-cosine-ema" | "sgd" | "sgd-nesterov-clip", Run> };
  readonly norm: { readonly weight: number[]; readonly batches: Numbers[]; readonly trained: Run; readonly frozen: Run };
}

/** Values from PyTorch; see test/fixtures/training/make.py. */
export const fixture = JSON.parse(readFileSync(new URL("../fixtures/training/training.json", import.meta.url), "utf8")) as Fixture;

/** Mean squared error of tanh(x·w1 + b1)·w2 + b2 against y, for batches of `rows`. */
export const mlpProblem = (rows = 8): TrainingProblem => {
  const graph = new Graph("mlp", 17);
  const b = new Builder(graph, "mlp");
  const x = graph.addInput("x", "float32", [rows, 6]);
  const y = graph.addInput("y", "float32", [rows, 3]);
  const shapes = { w1: [6, 5], b1: [5], w2: [5, 3], b2: [3] };
  const parameters = Object.entries(shapes).map(([name, shape], index) => graph.addInitializer(name, Tensor.float32(shape, fixture.mlp.initial[index]!)));
  const [w1, b1, w2, b2] = parameters;
  const error = b.sub(b.add(b.matmul(b.op("Tanh", [b.add(b.matmul(x, w1!), b1!)]), w2!), b2!), y);
  const loss = b.mean(b.mul(error, error), undefined, false);
  graph.outputs.push(loss);
  return { graph, loss, metrics: new Map([["mse", loss]]), parameters };
};

/** Mean squared error of relu(batchnorm(conv(x))) against y, for batches of `rows` (a name: known at run time only). */
export const normProblem = (rows: Dim = 4): TrainingProblem => {
  const graph = new Graph("norm", 17);
  const b = new Builder(graph, "norm");
  const x = graph.addInput("x", "float32", [rows, 2, 5, 5]);
  const y = graph.addInput("y", "float32", [rows, 3, 5, 5]);
  const vector = (name: string, values: number[]) => graph.addInitializer(name, Tensor.float32([values.length], values));
  const weight = graph.addInitializer("weight", Tensor.float32([3, 2, 3, 3], fixture.norm.weight));
  const scale = vector("scale", [1, 0.8, 1.2]);
  const shift = vector("shift", [0.1, -0.1, 0]);
  const convolved = b.op("Conv", [x, weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const normalized = b.op("BatchNormalization", [convolved, scale, shift, vector("mean", [0.05, 0, -0.05]), vector("variance", [1.1, 0.9, 1])], { epsilon: 1e-5 });
  const error = b.sub(b.op("Relu", [normalized]), y);
  const loss = b.mean(b.mul(error, error), undefined, false);
  graph.outputs.push(loss);
  return { graph, loss, metrics: new Map(), parameters: [weight, scale, shift] };
};

/** The fixture's batches; all of them make one epoch. */
export const fixtureSource = (batches: readonly Numbers[], xShape: readonly number[], yShape: readonly number[]): BatchSource =>
  inProcessSource(batches.length, (_, index): Batch => ({ x: Tensor.float32(xShape, batches[index]!.x), y: Tensor.float32(yShape, batches[index]!.y) }));

export const mlpSource = (): BatchSource => fixtureSource(fixture.mlp.batches, [8, 6], [8, 3]);

/** One epoch of AdamW at a constant rate on one thread. */
export const baseOptions: TrainingOptions = { epochs: 1, optimizer: adamw(), schedule: { kind: "constant", finalRatio: 0.1 }, threads: 1 };

/** Largest difference of two lists. */
export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length} differ`);
  return Math.max(...Array.from(a, (value, index) => Math.abs(value - b[index]!)));
};
