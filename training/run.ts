import { Tensor } from "../graph/tensor.ts";
import type { Session } from "../runtime/session.ts";
import type { Batch, BatchFeed } from "./batches.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { notFinite, tooManySkipped } from "./errors.ts";
import { trainedGraph, trainedTensors } from "./finish.ts";
import type { TrainedModel, TrainingHooks } from "./hooks.ts";
import type { TrainingOptions } from "./options.ts";
import type { TrainingProblem } from "./problem.ts";
import { emaDecay, learningRateFactor } from "./schedule.ts";
import { noSums, type EpochRecord, type TrainingState } from "./state.ts";
import { metricPort, nextPort, port, type Layouts } from "./step.ts";

/** More skipped steps in a row than this end the run: the weights will not come back. */
const maxSkippedInRow = 20;

const scalar = (value: number): Tensor => Tensor.float32([], [value]);
const now = (): number => performance.now() / 1000;

interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  readonly vectors: Readonly<Record<string, Tensor>>;
  readonly waitSeconds: number;
}

/** What a run works with; nothing of it changes. */
export interface RunParts {
  readonly problem: TrainingProblem;
  readonly options: TrainingOptions;
  readonly hooks: TrainingHooks;
  readonly layouts: Layouts;
  readonly feed: BatchFeed;
  /** A whole step (buildStep), and the batches before the last of a step (buildAccumulation). */
  readonly step: Session;
  readonly accumulation: Session | undefined;
  /** Fingerprint of problem, data and options, for the checkpoint. */
  readonly identity: string;
}

/** The loop: state in, state out; the only effects are hooks and checkpoints. */
export class Run {
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  get #accumulate(): number { return this.#parts.options.accumulate ?? 1; }
  get #stepsPerEpoch(): number { return Math.ceil(this.#parts.feed.batchesPerEpoch / this.#accumulate); }
  get #totalSteps(): number { return this.#parts.options.epochs * this.#stepsPerEpoch; }

  /** Goes from `start` to the last step. */
  async toEnd(start: TrainingState): Promise<TrainedModel> {
    let state = start;
    let savedAt = now();
    while (state.step < this.#totalSteps) {
      if (this.#parts.hooks.signal?.aborted) {
        await this.save(state);
        this.#parts.hooks.signal.throwIfAborted();
      }
      state = await this.#advance(state);
      const epochEnds = state.step % this.#stepsPerEpoch === 0;
      if (epochEnds) state = await this.#endEpoch(state);
      if (epochEnds || now() - savedAt > (this.#parts.options.checkpointSeconds ?? 20)) {
        await this.save(state);
        savedAt = now();
      }
    }
    return this.#trained(state);
  }

  /** One step: as many batches as it averages over, one update. */
  async #advance(state: TrainingState): Promise<TrainingState> {
    const started = now();
    const learningRate = this.#parts.options.optimizer.learningRate * learningRateFactor(state.step, this.#totalSteps, this.#stepsPerEpoch, this.#parts.options.schedule);
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
    this.#parts.hooks.onStep?.({
      step: next.step, totalSteps: this.#totalSteps, epoch: Math.floor(state.step / this.#stepsPerEpoch) + 1, learningRate, seconds, skipped: !finite,
      loss: result.loss, metrics: result.metrics, gradientNorm: result.gradientNorm, waitSeconds: result.waitSeconds,
    });
    return next;
  }

  #checkSkip(state: TrainingState, learningRate: number, { loss, gradientNorm }: StepResult): void {
    const what = Number.isFinite(loss) ? "the gradient is not finite" : "the loss is not finite";
    if ((this.#parts.options.nonFinite ?? "stop") === "stop") throw notFinite(what, state.step + 1, learningRate, loss, gradientNorm);
    if (state.skippedInRow + 1 >= maxSkippedInRow) throw tooManySkipped(state.skippedInRow + 1, state.step + 1);
  }

  async #compute(state: TrainingState, learningRate: number): Promise<StepResult> {
    const epoch = Math.floor(state.step / this.#stepsPerEpoch);
    const first = (state.step % this.#stepsPerEpoch) * this.#accumulate;
    const count = Math.min(this.#accumulate, this.#parts.feed.batchesPerEpoch - first);
    let waitSeconds = 0;
    let vectors: Record<string, Tensor> = { ...state.vectors };
    if (this.#parts.accumulation) vectors["accumulated"] = Tensor.float32([this.#parts.layouts.weights.size], new Float32Array(this.#parts.layouts.weights.size));
    const losses: number[] = [];
    let metrics: Record<string, number> = {};
    const runBatch = async (index: number, session: Session, scalars: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
      const asked = now();
      const batch = await this.#parts.feed.batch(epoch, index);
      waitSeconds += now() - asked;
      const outputs = await session.run(feedsOf(session, batch, vectors, scalars));
      losses.push(outputs[port("loss")]!.floats[0]!);
      metrics = addRecords(metrics, this.#metricsOf(outputs, count));
      vectors = { ...vectors, ...nextVectors(outputs) };
      return outputs;
    };
    for (let index = first; index < first + count - 1; index++) await runBatch(index, this.#parts.accumulation!, {});
    const outputs = await runBatch(first + count - 1, this.#parts.step, this.#scalars(state, learningRate, count));
    delete vectors["accumulated"];
    const loss = losses.reduce((sum, value) => sum + value, 0) / count;
    return { loss, metrics, gradientNorm: outputs[port("gradientNorm")]!.floats[0]!, vectors, waitSeconds };
  }

  #metricsOf(outputs: Readonly<Record<string, Tensor>>, count: number): Record<string, number> {
    return Object.fromEntries([...this.#parts.problem.metrics.keys()].map((name) => [name, outputs[metricPort(name)]!.floats[0]! / count]));
  }

  #scalars({ updates }: TrainingState, learningRate: number, batches: number): Record<string, Tensor> {
    const { optimizer, ema } = this.#parts.options;
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
      learningRate: this.#parts.options.optimizer.learningRate * learningRateFactor(state.step - 1, this.#totalSteps, this.#stepsPerEpoch, this.#parts.options.schedule),
      seconds: sums.seconds,
      dataWaitShare: sums.seconds > 0 ? sums.waitSeconds / sums.seconds : 0,
      skipped: sums.skipped,
    };
    const next: TrainingState = { ...state, sums: noSums, history: [...state.history, record] };
    await this.#parts.hooks.onEpoch?.(record, () => this.#trained(next));
    return next;
  }

  #trained(state: TrainingState): TrainedModel {
    const tensors = trainedTensors(this.#parts.layouts, state);
    return {
      graph: trainedGraph(this.#parts.problem, tensors),
      tensors: new Map([...tensors].map(([value, tensor]) => [value.name, tensor])),
      history: state.history,
      steps: state.step,
      skippedSteps: state.step - state.updates,
    };
  }

  /** Writes the checkpoint, where the run keeps one. */
  async save(state: TrainingState): Promise<void> {
    if (this.#parts.hooks.checkpointPath !== undefined) await writeCheckpoint(this.#parts.hooks.checkpointPath, this.#parts.identity, state);
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
