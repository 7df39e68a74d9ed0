import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { EpochRecord } from "./state.ts";

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
