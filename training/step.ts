import { removeDead } from "../graph/dead.ts";
import { backward } from "../autodiff/backward.ts";
import { Builder } from "../graph/builder.ts";
import { readValues, type Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import type { Tensor } from "../graph/tensor.ts";
import { concatFrom, fillSlots, layoutOf, pack, splitInto, typed, type Layout, type Slot } from "./flat.ts";
import { applyOptimizer, clipToNorm, globalNorm, movingAverage, optimizerVectors } from "./optimizer.ts";
import type { TrainingOptions } from "./options.ts";
import type { TrainingProblem } from "./problem.ts";
import { batchStatistics, statisticsLayout, trainedNorms, trainNorm } from "./statistics.ts";

/** Where the vectors of a problem lie: weights [P], running statistics [S]. */
export interface Layouts {
  readonly weights: Layout;
  readonly statistics: Layout;
}

/** Names of the graph's own inputs and outputs; the problem's inputs keep theirs. */
export const port = (name: string): string => `train/${name}`;
export const nextPort = (name: string): string => `train/next/${name}`;
export const metricPort = (name: string): string => `train/metric/${name}`;

export const layoutsOf = (problem: TrainingProblem, options: TrainingOptions): Layouts => {
  const parameters = new Set(problem.parameters);
  const norms = options.frozenStatistics ? [] : trainedNorms(problem.graph, parameters);
  return { weights: layoutOf([...parameters]), statistics: statisticsLayout(norms) };
};

/** The vectors before the first step, by name: weights and statistics of the problem, zero moments, averages equal to what they average. */
export const initialVectors = (layouts: Layouts, options: TrainingOptions): Record<string, Tensor> => {
  const weights = pack(layouts.weights);
  const statistics = pack(layouts.statistics);
  const zeros = fillSlots(layouts.weights, () => 0);
  return {
    weights,
    ...Object.fromEntries(optimizerVectors(options.optimizer).map((name) => [name, zeros])),
    ...(options.ema && { average: weights }),
    ...(statistics.size > 0 && { statistics }),
    ...(statistics.size > 0 && options.ema && { averageStatistics: statistics }),
  };
};

/** Forward and backward pass on flat vectors, shared by both graphs. */
interface Pass {
  readonly b: Builder;
  readonly graph: Graph;
  readonly weights: Value;
  /** Gradient of this batch plus what earlier batches of the step left [P]. */
  readonly gradient: Value;
  /** Slots that the loss does not depend on. */
  readonly unused: ReadonlySet<Slot>;
  readonly statistics: Value | undefined;
}

const buildPass = (problem: TrainingProblem, options: TrainingOptions, layouts: Layouts, accumulated: boolean): Pass => {
  const twins = new Map<Value, Value>();
  const graph = problem.graph.clone(twins);
  const twin = (value: Value): Value => {
    const found = twins.get(value);
    if (!found) throw new Error(`bug: "${value.name}" is not part of the training graph`);
    return found;
  };
  const b = new Builder(graph, "train");
  const loss = twin(problem.loss);
  const metrics = [...problem.metrics].map(([name, value]) => [name, twin(value)] as const);
  graph.outputs.length = 0;
  const running = layouts.statistics.size > 0 ? graph.addInput(port("statistics"), "float32", [layouts.statistics.size]) : undefined;
  if (running) splitInto(b, layouts.statistics, running, (slot) => twin(slot.value));
  const batch = options.frozenStatistics ? [] : trainNorms(b, trainedNorms(problem.graph, new Set(problem.parameters)), twin, layouts.statistics);
  const weights = graph.addInput(port("weights"), "float32", [layouts.weights.size]);
  const parameters = splitInto(b, layouts.weights, weights, (slot) => twin(slot.value));
  const used = parameters.filter(isAncestorOf(loss));
  const gradients = backward(b, loss, used, { unreached: "zeros" });
  let gradient = concatFrom(b, layouts.weights, parameters.map((value) => gradients.get(value)));
  if (accumulated) gradient = typed(b.add(gradient, graph.addInput(port("accumulated"), "float32", [layouts.weights.size])), [layouts.weights.size]);
  scalarOutput(b, port("loss"), loss);
  for (const [name, value] of metrics) scalarOutput(b, metricPort(name), value);
  return {
    b, graph, weights, gradient,
    unused: new Set(layouts.weights.slots.filter((_, index) => !gradients.has(parameters[index]!))),
    statistics: running && runningStatistics(b, options, layouts.statistics, running, batch),
  };
};

const isAncestorOf = (loss: Value): ((value: Value) => boolean) => {
  const seen = new Set<Value>([loss]);
  for (const value of seen) if (value.producer) readValues(value.producer).forEach((input) => seen.add(input));
  return (value) => seen.has(value);
};

const trainNorms = (b: Builder, norms: readonly Node[], twin: (value: Value) => Value, layout: Layout): readonly Value[] => {
  const measured = new Map<Value, Value[]>();
  for (const norm of norms) {
    const { mean, variance } = trainNorm(b, twin(norm.out()).producer!);
    for (const [value, batch] of [[norm.in(3), mean], [norm.in(4), variance]] as const) measured.set(value, [...(measured.get(value) ?? []), batch]);
  }
  return batchStatistics(b, layout, measured);
};

const runningStatistics = (b: Builder, options: TrainingOptions, layout: Layout, running: Value, batch: readonly Value[]): Value => {
  const momentum = options.statisticsMomentum ?? 0.03;
  return b.add(b.mul(running, 1 - momentum), b.mul(concatFrom(b, layout, batch), momentum));
};

/** A scalar may be several outputs at once, so each is a value of its own. */
const scalarOutput = (b: Builder, name: string, value: Value): void => vectorOutput(b, name, b.op("Identity", [value]), []);

const vectorOutput = (b: Builder, name: string, value: Value, shape: readonly number[]): void => {
  typed(value, shape).name = name;
  b.graph.outputs.push(value);
};

/** The graph of a batch that only adds to the gradient: outputs next/accumulated [P] and next/statistics [S]. */
export const buildAccumulation = (problem: TrainingProblem, options: TrainingOptions, layouts: Layouts): Graph => {
  const { b, graph, gradient, statistics } = buildPass(problem, options, layouts, true);
  vectorOutput(b, nextPort("accumulated"), gradient, [layouts.weights.size]);
  if (statistics) vectorOutput(b, nextPort("statistics"), statistics, [layouts.statistics.size]);
  removeDead(graph);
  return graph;
};

/**
 * The graph of a whole step: batch and vectors in, loss, metrics, gradient norm and next/<vector> out.
 * Its scalar inputs are learningRate, AdamW's correction1 and correction2, emaDecay, and gradientScale (1/batches) when accumulating.
 */
export const buildStep = (problem: TrainingProblem, options: TrainingOptions, layouts: Layouts): Graph => {
  const accumulates = (options.accumulate ?? 1) > 1;
  const pass = buildPass(problem, options, layouts, accumulates);
  const { b, graph, weights, statistics } = pass;
  const size = [layouts.weights.size];
  const scalar = (name: string): Value => graph.addInput(port(name), "float32", []);
  const vector = (name: string, like: readonly number[] = size): Value => graph.addInput(port(name), "float32", like);

  const mean = accumulates ? b.mul(pass.gradient, scalar("gradientScale")) : pass.gradient;
  const norm = globalNorm(b, mean);
  const gradient = options.clipNorm === undefined ? mean : clipToNorm(b, mean, norm, options.clipNorm);
  const adam = options.optimizer.kind === "adamw";
  const learningRate = scalar("learningRate");
  const scalars = { learningRate, correction1: adam ? scalar("correction1") : learningRate, correction2: adam ? scalar("correction2") : learningRate };
  const vectors = Object.fromEntries(optimizerVectors(options.optimizer).map((name) => [name, vector(name)]));
  const next = applyOptimizer(b, options.optimizer, weights, gradient, b.constant(decayVector(problem, options, layouts.weights, pass.unused), port("decay")), vectors, scalars);

  scalarOutput(b, port("gradientNorm"), norm);
  vectorOutput(b, nextPort("weights"), next.weights, size);
  for (const [name, value] of Object.entries(next.vectors)) vectorOutput(b, nextPort(name), value, size);
  if (statistics) vectorOutput(b, nextPort("statistics"), statistics, [layouts.statistics.size]);
  if (options.ema) {
    const decay = scalar("emaDecay");
    vectorOutput(b, nextPort("average"), movingAverage(b, vector("average"), next.weights, decay), size);
    if (statistics) vectorOutput(b, nextPort("averageStatistics"), movingAverage(b, vector("averageStatistics", [layouts.statistics.size]), statistics, decay), [layouts.statistics.size]);
  }
  removeDead(graph);
  return graph;
};

const decayVector = (problem: TrainingProblem, options: TrainingOptions, layout: Layout, unused: ReadonlySet<Slot>): Tensor => {
  const noDecay = problem.noDecay ?? ((parameter: Value) => (parameter.tensor?.shape.length ?? 0) < 2);
  return fillSlots(layout, (slot) => (unused.has(slot) || noDecay(slot.value) ? 0 : options.optimizer.weightDecay));
};
