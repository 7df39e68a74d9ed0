import { test } from "uvu";
import * as assert from "uvu/assert";
import { Builder } from "../../graph/builder.ts";
import { UserError } from "../../graph/error.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { runOnce } from "../../runtime/session.ts";
import { inProcessSource } from "../../training/batches.ts";
import { adamw, sgd } from "../../training/options.ts";
import { writeTensors } from "../../training/finish.ts";
import { withBatch, type TrainingProblem } from "../../training/problem.ts";
import { buildStep, layoutsOf } from "../../training/step.ts";
import { train, type StepReport } from "../../training/train.ts";
import { baseOptions, distance, fixture, fixtureSource, mlpProblem, mlpSource, normProblem } from "./nets.ts";

const rows = (numbers: readonly number[], from: number, to: number, columns: number): Tensor => Tensor.float32([to - from, columns], numbers.slice(from * columns, to * columns));
/** The fixture's batches of 8, halved. */
const halves = inProcessSource(20, (_, index) => {
  const { x, y } = fixture.mlp.batches[index >> 1]!;
  const from = 4 * (index % 2);
  return { x: rows(x, from, from + 4, 6), y: rows(y, from, from + 4, 3) };
});

test("two accumulated batches of 4 equal one of 8", async () => {
  const options = { ...baseOptions, epochs: 2, optimizer: sgd({ learningRate: 0.05 }), clipNorm: 0.5 };
  const whole = await train(mlpProblem(8), mlpSource(), options);
  const halved = await train(mlpProblem(4), halves, { ...options, accumulate: 2 });
  for (const [name, tensor] of whole.tensors) assert.ok(distance(tensor.floats, halved.tensors.get(name)!.floats) < 1e-6, name);
  assert.is(halved.steps, 20);
  assert.ok(Math.abs(halved.history[1]!.metrics["mse"]! - whole.history[1]!.loss) < 1e-6);
});

test("an epoch's last step averages over the batches that are left", async () => {
  const steps: StepReport[] = [];
  await train(mlpProblem(4), halves, { ...baseOptions, accumulate: 3 }, { onStep: (step) => steps.push(step) });
  assert.is(steps.length, 7);
  assert.ok(steps.every(({ loss, metrics }) => Math.abs(loss - metrics["mse"]!) < 1e-6));
});

/** Two norms of four channels, of inputs with different means. */
const twinNorms = (): TrainingProblem => {
  const graph = new Graph("twins", 17);
  const b = new Builder(graph);
  const parameters: Value[] = [];
  const norm = (x: Value, name: string): Value => {
    const value = (part: string, fill: number): Value => graph.addInitializer(`${name}.${part}`, Tensor.float32([4], new Float32Array(4).fill(fill)));
    const [scale, shift] = [value("scale", 1), value("shift", 0)];
    parameters.push(scale, shift);
    return b.op("BatchNormalization", [x, scale, shift, value("mean", 0), value("variance", 1)]);
  };
  const x = graph.addInput("x", "float32", [8, 4, 3, 3]);
  const second = norm(b.add(norm(x, "first"), 5), "second");
  const loss = b.mean(b.mul(second, second), undefined, false);
  graph.outputs.push(loss);
  return { graph, loss, metrics: new Map(), parameters };
};

test("norms of equal width keep statistics of their own", async () => {
  const x = Tensor.float32([8, 4, 3, 3], Float32Array.from({ length: 288 }, (_, i) => Math.sin(i) + 2));
  const options = { ...baseOptions, epochs: 1, optimizer: sgd({ learningRate: 1e-9 }), statisticsMomentum: 1 };
  const { tensors } = await train(twinNorms(), inProcessSource(2, () => ({ x })), options);
  assert.ok(tensors.get("first.mean")!.floats.every((mean) => Math.abs(mean - 2) < 0.2), "the first sees a mean of about 2");
  assert.ok(tensors.get("second.mean")!.floats.every((mean) => Math.abs(mean - 5) < 1e-4), "the second sees the first's output plus 5");
});

test("running statistics see every accumulated batch", async () => {
  const source = fixtureSource(fixture.norm.batches, [4, 2, 5, 5], [4, 3, 5, 5]);
  const raw = { ...baseOptions, optimizer: sgd({ learningRate: 1e-12 }) };
  const options = { ...raw, ema: { decay: 0.5, rampSteps: 0 } };
  const [each, pairs] = [await train(normProblem(), source, options), await train(normProblem(), source, { ...options, accumulate: 2 })];
  const [rawEach, rawPairs] = [await train(normProblem(), source, raw), await train(normProblem(), source, { ...raw, accumulate: 2 })];
  for (const name of ["mean", "variance"]) {
    assert.ok(distance(rawEach.tensors.get(name)!.floats, rawPairs.tensors.get(name)!.floats) < 1e-6, name);
    assert.ok(distance(each.tensors.get(name)!.floats, pairs.tensors.get(name)!.floats) > 1e-4, `${name}: averaged once per step`);
  }
});

test("a tiny net learns its batch by heart, and the trained graph gives the loss that was reached", async () => {
  const { x, y } = fixture.mlp.batches[0]!;
  const batch = { x: rows(x, 0, 2, 6), y: rows(y, 0, 2, 3) };
  const problem = mlpProblem(2);
  const before = [...problem.parameters].map((parameter) => parameter.tensor);
  const { graph, tensors, history } = await train(problem, inProcessSource(50, () => batch), { ...baseOptions, epochs: 4, optimizer: adamw({ learningRate: 0.05, weightDecay: 0 }), schedule: { kind: "cosine", finalRatio: 0 } });
  assert.ok(history.at(-1)!.loss < 1e-4);
  const [loss] = Object.values(await runOnce(graph, batch));
  assert.ok(loss!.floats[0]! < 1e-4);
  assert.equal(problem.parameters.map((parameter) => parameter.tensor), before);
  const copy = mlpProblem(2).graph;
  writeTensors(copy, tensors);
  assert.equal(Object.values(await runOnce(copy, batch))[0]!.bytes, loss!.bytes);
});

test("the same run gives the same bytes", async () => {
  const options = { ...baseOptions, threads: 2, epochs: 3 };
  const [a, b] = [await train(mlpProblem(), mlpSource(), options), await train(mlpProblem(), mlpSource(), options)];
  assert.equal(a.tensors, b.tensors);
});

test("only matrices decay by default, and noDecay may spare more", async () => {
  const still = inProcessSource(1, () => ({ x: Tensor.float32([8, 6], new Float32Array(48)), y: Tensor.float32([8, 3], new Float32Array(24)) }));
  const options = { ...baseOptions, optimizer: sgd({ learningRate: 1, momentum: 0, nesterov: false, weightDecay: 0.25 }) };
  const w1 = fixture.mlp.initial[0]!; // x = 0, so the loss leaves w1 alone
  const decayed = await train(mlpProblem(), still, options);
  assert.ok(distance(decayed.tensors.get("w1")!.floats, w1.map((w) => 0.75 * w)) < 1e-6);
  const spared = await train({ ...mlpProblem(), noDecay: () => true }, still, options);
  assert.ok(distance(spared.tensors.get("w1")!.floats, w1) < 1e-7);
});

test("a loss that is not finite stops with advice, or is left out and counted", async () => {
  const broken = inProcessSource(4, (_, index) => ({ x: rows(fixture.mlp.batches[index]!.x, 0, 8, 6), y: index === 2 ? Tensor.float32([8, 3], new Float32Array(24).fill(NaN)) : rows(fixture.mlp.batches[index]!.y, 0, 8, 3) }));
  const error: unknown = await train(mlpProblem(), broken, baseOptions).then(() => undefined, (reason: unknown) => reason);
  assert.instance(error, UserError);
  assert.match((error as UserError).message, "step 3");
  const { tensors, skippedSteps, history } = await train(mlpProblem(), broken, { ...baseOptions, nonFinite: "skip" });
  assert.is(skippedSteps, 1);
  assert.is(history[0]!.skipped, 1);
  for (const tensor of tensors.values()) assert.ok(tensor.floats.every(Number.isFinite));
  const allBroken = inProcessSource(30, async () => broken.open(1).then((feed) => feed.batch(0, 2)));
  const hopeless: unknown = await train(mlpProblem(), allBroken, { ...baseOptions, nonFinite: "skip" }).then(() => undefined, (reason: unknown) => reason);
  assert.is((hopeless as UserError).code, "NOT_FINITE");
});

test("a parameter that the loss does not reach stays as it is", async () => {
  const problem = mlpProblem();
  const unused = problem.graph.addInitializer("unused", Tensor.float32([2, 2], [1, 2, 3, 4]));
  problem.graph.outputs.push(problem.graph.addNode({ opType: "Abs", inputs: [unused], outputs: ["side"] }).out());
  const { tensors } = await train({ ...problem, parameters: [...problem.parameters, unused] }, mlpSource(), { ...baseOptions, optimizer: adamw({ learningRate: 0.1, weightDecay: 0.5 }) });
  assert.equal(tensors.get("unused")!.toNumbers(), [1, 2, 3, 4]);
});

test("hooks see epochs and the model as it stands", async () => {
  const losses: number[] = [];
  const { history } = await train(mlpProblem(), mlpSource(), { ...baseOptions, epochs: 3 }, {
    onEpoch: async (record, trained) => {
      const { x, y } = fixture.mlp.batches[0]!;
      losses.push(Object.values(await runOnce(trained().graph, { x: rows(x, 0, 8, 6), y: rows(y, 0, 8, 3) }))[0]!.floats[0]!);
      assert.is(trained().history.at(-1), record);
    },
  });
  assert.equal(history.map(({ epoch }) => epoch), [1, 2, 3]);
  assert.ok(losses[2]! < losses[0]!);
  assert.ok(history.every(({ dataWaitShare }) => dataWaitShare >= 0 && dataWaitShare <= 1));
});

test("bad options and empty data are errors with a next step", async () => {
  const code = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, (error: unknown) => (error as UserError).code);
  assert.is(await code(train(mlpProblem(), mlpSource(), { ...baseOptions, epochs: 0 })), "TRAINING_OPTION");
  assert.is(await code(train(mlpProblem(), mlpSource(), { ...baseOptions, optimizer: adamw({ learningRate: NaN }) })), "TRAINING_OPTION");
  assert.is(await code(train(mlpProblem(), inProcessSource(0, () => ({})), baseOptions)), "NO_BATCHES");
});

test("a batch size given as a number trains the same and needs fewer nodes", async () => {
  const options = { ...baseOptions, optimizer: sgd({ learningRate: 0.05 }) };
  const source = fixtureSource(fixture.norm.batches, [4, 2, 5, 5], [4, 3, 5, 5]);
  const [open, fixed] = [normProblem("rows"), withBatch(normProblem("rows"), 4)];
  assert.ok(buildStep(fixed, options, layoutsOf(fixed, options)).nodes.size < buildStep(open, options, layoutsOf(open, options)).nodes.size);
  const [atRunTime, inAdvance] = [await train(open, source, options), await train(fixed, source, options)];
  for (const [name, tensor] of atRunTime.tensors) assert.ok(distance(inAdvance.tensors.get(name)!.floats, tensor.floats) < 1e-6, name);
});

test.run();
