import type { Tensor } from "../graph/tensor.ts";

/** One finished epoch. Means are over its steps. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Learning rate of the last step. */
  readonly learningRate: number;
  readonly seconds: number;
  /** Share of the time in which the step waited for its batch. */
  readonly dataWaitShare: number;
  /** Steps left out because their loss or gradient was not finite. */
  readonly skipped: number;
}

/** Running sums of the epoch in progress. */
export interface EpochSums {
  readonly steps: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly waitSeconds: number;
  readonly skipped: number;
}

export const noSums: EpochSums = { steps: 0, loss: 0, metrics: {}, seconds: 0, waitSeconds: 0, skipped: 0 };

/** All that a training run carries from step to step; a checkpoint holds exactly this. */
export interface TrainingState {
  /** Steps done, skipped ones included. */
  readonly step: number;
  /** Optimizer updates done: steps without the skipped ones. */
  readonly updates: number;
  /** Skipped steps since the last update. */
  readonly skippedInRow: number;
  /** weights [P], the optimizer's vectors [P], average [P], statistics [S], averageStatistics [S]. */
  readonly vectors: Readonly<Record<string, Tensor>>;
  readonly sums: EpochSums;
  readonly history: readonly EpochRecord[];
}
