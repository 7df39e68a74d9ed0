import { availableParallelism } from "node:os";
import type { Graph } from "../graph/graph.ts";
import { Tensor } from "../graph/tensor.ts";
import { openSession, type Session } from "../runtime/session.ts";
import type { Batch, BatchFeed, BatchSource } from "./batches.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { badOption, noBatches, notFinite, tooManySkipped } from "./errors.ts";
import { fingerprint } from "./fingerprint.ts";
import { trainedGraph, trainedTensors } from "./finish.ts";
import type { TrainingOptions } from "./options.ts";
import type { TrainingProblem } from "./problem.ts";
import { emaDecay, learningRateFactor } from "./schedule.ts";
import { noSums, type EpochRecord, type TrainingState } from "./state.ts";
import { buildAccumulation, buildStep, initialVectors, layoutsOf, metricPort, nextPort, port, type Layouts } from "./step.ts";

/** One step, as hooks see it. */
export interface StepReport {
  /** From 1. */
  readonly step: number;
  readonly totalSteps: number;
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly skipped: boolean;
  readonly seconds: number;
  /** Part of `seconds` in which the step waited for its batch. */
  readonly waitSeconds: number;
}

export interface TrainedModel {
  /** The problem's graph with the trained weights and running statistics (averaged where the run keeps an average). */
  readonly graph: Graph;
  /** Trained tensors by the name of their initializer; see writeTensors. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly history: readonly EpochRecord[];
  readonly steps: number;
  readonly skippedSteps: number;
}

export interface TrainingHooks {
  readonly onStep?: (report: StepReport) => void;
  /** After each epoch; `trained()` builds the model as it stands, e.g. to evaluate it. Must not change the result. */
  readonly onEpoch?: (record: EpochRecord, trained: () => TrainedModel) => void | Promise<void>;
  /** Stops after the step in progress: the checkpoint is written, then the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Where to keep the checkpoint; a run that finds its own there goes on from it, to the same bytes as if it had never stopped. */
  readonly checkpointPath?: string;
  /** Ignore an existing checkpoint. */
  readonly fresh?: boolean;
}

/** More skipped steps in a row than this end the run: the weights will not come back. */
const maxSkippedInRow = 20;

/**
 * Minimises the problem's loss over the source's batches.
 * Throws UserError NOT_FINITE, NO_BATCHES, TRAINING_OPTION, CHECKPOINT_OTHER, CHECKPOINT_CORRUPT, CHECKPOINT_WRITE, and what the source throws.
 */
export const train = async (problem: TrainingProblem, source: BatchSource, options: TrainingOptions, hooks: TrainingHooks = {}): Promise<TrainedModel> => {
  checkOptions(options);
  const layouts = layoutsOf(problem, options);
  const step = buildStep(problem, options, layouts);
  const identity = fingerprint(step, [source.identity, { ...options, threads: undefined, checkpointSeconds: undefined }]);
  const { checkpointPath, fresh = false } = hooks;
  const restored = checkpointPath !== undefined && !fresh ? await readCheckpoint(checkpointPath, identity) : undefined;
  const feed = await source.open(options.epochs);
  const sessions: Session[] = [];
  try {
    if (feed.batchesPerEpoch < 1) throw noBatches();
    const threads = options.threads ?? availableParallelism();
    sessions.push(await openTraining(step, threads));
    const accumulates = (options.accumulate ?? 1) > 1;
    if (accumulates) sessions.push(await openTraining(buildAccumulation(problem, options, layouts), threads));
    const run = new Run(problem, options, hooks, layouts, feed, sessions[0]!, sessions[1], identity);
    const start = restored ?? { step: 0, updates: 0, skippedInRow: 0, vectors: initialVectors(layouts, options), sums: noSums, history: [] };
    await run.save(start); // an unwritable path shows before the work, not after it
    return await run.toEnd(start);
  } finally {
    await Promise.all([feed.close(), ...sessions.map((session) => session.close())]);
  }
};

/** Threads sleep between ops, as data workers and other processes share the cores. Without the memory pattern a step takes as long and 15% less memory. */
const openTraining = (graph: Graph, threads: number): Promise<Session> =>
  openSession(graph, { threads, memoryPattern: false, extra: { "session.intra_op.allow_spinning": "0", "session.use_deterministic_compute": "1" } });

const checkOptions = ({ epochs, accumulate = 1, optimizer, schedule }: TrainingOptions): void => {
  if (!Number.isInteger(epochs) || epochs < 1) throw badOption("epochs", epochs, "a whole number of at least 1");
  if (!Number.isInteger(accumulate) || accumulate < 1) throw badOption("accumulate", accumulate, "a whole number of at least 1");
  if (!(optimizer.learningRate > 0)) throw badOption("learningRate", optimizer.learningRate, "a number above 0");
  if (!(schedule.finalRatio >= 0 && schedule.finalRatio <= 1)) throw badOption("finalRatio", schedule.finalRatio, "a number from 0 to 1");
};

const scalar = (value: number): Tensor => Tensor.float32([], [value]);
const now = (): number => performance.now() / 1000;

interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  readonly vectors: Readonly<Record<string, Tensor>>;
  readonly waitSeconds: number;
}

class Run {
  readonly #problem: TrainingProblem;
  readonly #options: TrainingOptions;
  readonly #hooks: TrainingHooks;
  readonly #layouts: Layouts;
  readonly #feed: BatchFeed;
  readonly #step: Session;
  readonly #accumulation: Session | undefined;
  readonly #identity: string;

  constructor(problem: TrainingProblem, options: TrainingOptions, hooks: TrainingHooks, layouts: Layouts, feed: BatchFeed, step: Session, accumulation: Session | undefined, identity: string) {
    this.#problem = problem;
    this.#options = options;
    this.#hooks = hooks;
    this.#layouts = layouts;
    this.#feed = feed;
    this.#step = step;
    this.#accumulation = accumulation;
    this.#identity = identity;
  }

  get #accumulate(): number { return this.#options.accumulate ?? 1; }
  get #stepsPerEpoch(): number { return Math.ceil(this.#feed.batchesPerEpoch / this.#accumulate); }
  get #totalSteps(): number { return this.#options.epochs * this.#stepsPerEpoch; }

  async toEnd(start: TrainingState): Promise<TrainedModel> {
    let state = start;
    let savedAt = now();
    while (state.step < this.#totalSteps) {
      if (this.#hooks.signal?.aborted) {
        await this.save(state);
        this.#hooks.signal.throwIfAborted();
      }
      state = await this.#advance(state);
      const epochEnds = state.step % this.#stepsPerEpoch === 0;
      if (epochEnds) state = await this.#endEpoch(state);
      if (epochEnds || now() - savedAt > (this.#options.checkpointSeconds ?? 20)) {
        await this.save(state);
        savedAt = now();
      }
    }
    return this.#trained(state);
  }

  /** One step: as many batches as it averages over, one update. */
  async #advance(state: TrainingState): Promise<TrainingState> {
    const started = now();
    const learningRate = this.#options.optimizer.learningRate * learningRateFactor(state.step, this.#totalSteps, this.#stepsPerEpoch, this.#options.schedule);
    const result = await this.#compute(state, learningRate);
    const finite = Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm);
    if (!finite) this.#checkSkip(state, learningRate, result);
    const seconds = now() - started;
    const { sums } = state;
    const next: TrainingState = {
      ...state,
      step: state.step + 1,
      updates: state.updates + Number(finite),
      skippedInRow: finite ? 0 : state.skippedInRow + 1,
      vectors: finite ? result.vectors : state.vectors,
      sums: {
        steps: sums.steps + Number(finite),
        loss: sums.loss + (finite ? result.loss : 0),
        metrics: finite ? addRecords(sums.metrics, result.metrics) : sums.metrics,
        seconds: sums.seconds + seconds,
        waitSeconds: sums.waitSeconds + result.waitSeconds,
        skipped: sums.skipped + Number(!finite),
      },
    };
    this.#hooks.onStep?.({
      step: next.step, totalSteps: this.#totalSteps, epoch: Math.floor(state.step / this.#stepsPerEpoch) + 1, learningRate, seconds, skipped: !finite,
      loss: result.loss, metrics: result.metrics, gradientNorm: result.gradientNorm, waitSeconds: result.waitSeconds,
    });
    return next;
  }

  #checkSkip(state: TrainingState, learningRate: number, { loss, gradientNorm }: StepResult): void {
    const what = Number.isFinite(loss) ? "the gradient is not finite" : "the loss is not finite";
    if ((this.#options.nonFinite ?? "stop") === "stop") throw notFinite(what, state.step + 1, learningRate, loss, gradientNorm);
    if (state.skippedInRow + 1 >= maxSkippedInRow) throw tooManySkipped(state.skippedInRow + 1, state.step + 1);
  }

  async #compute(state: TrainingState, learningRate: number): Promise<StepResult> {
    const epoch = Math.floor(state.step / this.#stepsPerEpoch);
    const first = (state.step % this.#stepsPerEpoch) * this.#accumulate;
    const count = Math.min(this.#accumulate, this.#feed.batchesPerEpoch - first);
    let waitSeconds = 0;
    let vectors: Record<string, Tensor> = { ...state.vectors };
    if (this.#accumulation) vectors["accumulated"] = Tensor.float32([this.#layouts.weights.size], new Float32Array(this.#layouts.weights.size));
    const losses: number[] = [];
    let metrics: Record<string, number> = {};
    const runBatch = async (index: number, session: Session, scalars: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
      const asked = now();
      const batch = await this.#feed.batch(epoch, index);
      waitSeconds += now() - asked;
      const outputs = await session.run(feedsOf(session, batch, vectors, scalars));
      losses.push(outputs[port("loss")]!.floats[0]!);
      metrics = addRecords(metrics, this.#metricsOf(outputs, count));
      vectors = { ...vectors, ...nextVectors(outputs) };
      return outputs;
    };
    for (let index = first; index < first + count - 1; index++) await runBatch(index, this.#accumulation!, {});
    const outputs = await runBatch(first + count - 1, this.#step, this.#scalars(state, learningRate, count));
    delete vectors["accumulated"];
    const loss = losses.reduce((sum, value) => sum + value, 0) / count;
    return { loss, metrics, gradientNorm: outputs[port("gradientNorm")]!.floats[0]!, vectors, waitSeconds };
  }

  #metricsOf(outputs: Readonly<Record<string, Tensor>>, count: number): Record<string, number> {
    return Object.fromEntries([...this.#problem.metrics.keys()].map((name) => [name, outputs[metricPort(name)]!.floats[0]! / count]));
  }

  #scalars({ updates }: TrainingState, learningRate: number, batches: number): Record<string, Tensor> {
    const { optimizer, ema } = this.#options;
    return {
      learningRate: scalar(learningRate),
      ...(optimizer.kind === "adamw" && {
        correction1: scalar(1 - optimizer.beta1 ** (updates + 1)),
        correction2: scalar(Math.sqrt(1 - optimizer.beta2 ** (updates + 1))),
      }),
      ...(ema && { emaDecay: scalar(emaDecay(updates + 1, ema)) }),
      gradientScale: scalar(1 / batches),
    };
  }

  async #endEpoch(state: TrainingState): Promise<TrainingState> {
    const { sums } = state;
    const steps = Math.max(1, sums.steps);
    const record: EpochRecord = {
      epoch: state.step / this.#stepsPerEpoch,
      loss: sums.steps > 0 ? sums.loss / steps : 0,
      metrics: Object.fromEntries(Object.entries(sums.metrics).map(([name, sum]) => [name, sum / steps])),
      learningRate: this.#options.optimizer.learningRate * learningRateFactor(state.step - 1, this.#totalSteps, this.#stepsPerEpoch, this.#options.schedule),
      seconds: sums.seconds,
      dataWaitShare: sums.seconds > 0 ? sums.waitSeconds / sums.seconds : 0,
      skipped: sums.skipped,
    };
    const next: TrainingState = { ...state, sums: noSums, history: [...state.history, record] };
    await this.#hooks.onEpoch?.(record, () => this.#trained(next));
    return next;
  }

  #trained(state: TrainingState): TrainedModel {
    const tensors = trainedTensors(this.#layouts, state);
    return {
      graph: trainedGraph(this.#problem, tensors),
      tensors: new Map([...tensors].map(([value, tensor]) => [value.name, tensor])),
      history: state.history,
      steps: state.step,
      skippedSteps: state.step - state.updates,
    };
  }

  /** Writes the checkpoint, where the run keeps one. */
  async save(state: TrainingState): Promise<void> {
    if (this.#hooks.checkpointPath !== undefined) await writeCheckpoint(this.#hooks.checkpointPath, this.#identity, state);
  }
}

/** What a session's inputs read, from the batch, the vectors and the scalars. */
const feedsOf = (session: Session, batch: Batch, vectors: Readonly<Record<string, Tensor>>, scalars: Readonly<Record<string, Tensor>>): Record<string, Tensor> => {
  const own = Object.fromEntries(Object.entries({ ...vectors, ...scalars }).map(([name, tensor]) => [port(name), tensor]));
  return Object.fromEntries(session.inputs.map(({ name }) => {
    const tensor = own[name] ?? batch[name];
    if (!tensor) throw new Error(`bug: the batches have no "${name}", which the training graph reads; they have ${Object.keys(batch).join(", ")}`);
    return [name, tensor];
  }));
};

/** Outputs `next/<vector>` by vector. */
const nextVectors = (outputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> => {
  const prefix = nextPort("");
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]));
};

const addRecords = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(b).map(([name, value]) => [name, (a[name] ?? 0) + value]));
