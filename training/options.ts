/** AdamW: decoupled weight decay (Loshchilov & Hutter 2019). */
export interface AdamWOptions {
  readonly kind: "adamw";
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** SGD with momentum as torch.optim.SGD defines it (dampening 0, decay added to the gradient). */
export interface SgdOptions {
  readonly kind: "sgd";
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}

export type OptimizerOptions = AdamWOptions | SgdOptions;

/** Linear warm-up to the optimizer's learning rate, then constant or cosine down to `finalRatio` of it. */
export interface ScheduleOptions {
  readonly kind: "cosine" | "constant";
  /** Length of the warm-up in steps; `warmupEpochs` (may be fractional) is used when absent. */
  readonly warmupSteps?: number;
  readonly warmupEpochs?: number;
  /** Learning rate at the end of a cosine, as a share of the peak. */
  readonly finalRatio: number;
}

/** Exponential moving average of weights and running statistics, decay·(1 - e^(-updates/rampSteps)) as in Ultralytics. */
export interface EmaOptions {
  readonly decay: number;
  readonly rampSteps: number;
}

export interface TrainingOptions {
  readonly epochs: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: ScheduleOptions;
  /** Largest global L2 norm of the gradient; absent: no clipping. */
  readonly clipNorm?: number;
  readonly ema?: EmaOptions;
  /** Batches whose gradients are averaged into one step; 1 when absent. */
  readonly accumulate?: number;
  /** Share of the new batch in the running statistics of BatchNormalization (PyTorch's `momentum`); 0.03 when absent. */
  readonly statisticsMomentum?: number;
  /** BatchNormalization keeps its running statistics and normalizes with them. */
  readonly frozenStatistics?: boolean;
  /** What a loss or gradient that is not finite does: stop the run, or leave that step out and count it. "stop" when absent. */
  readonly nonFinite?: "stop" | "skip";
  /** Threads of the runtime; all cores when absent. Does not change what a checkpoint belongs to. */
  readonly threads?: number;
  /** Seconds between checkpoints inside an epoch; 20 when absent. */
  readonly checkpointSeconds?: number;
}

/** AdamW with PyTorch's defaults. */
export const adamw = (options: Partial<Omit<AdamWOptions, "kind">> = {}): AdamWOptions =>
  ({ kind: "adamw", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, ...options });

/** SGD with Ultralytics' defaults for detectors. */
export const sgd = (options: Partial<Omit<SgdOptions, "kind">> = {}): SgdOptions =>
  ({ kind: "sgd", learningRate: 0.01, momentum: 0.937, nesterov: true, weightDecay: 5e-4, ...options });
