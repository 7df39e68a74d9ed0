import type { EmaOptions, ScheduleOptions } from "./options.ts";

/**
 * Factor of the learning rate at `step` (from 0) of `totalSteps`:
 * (step + 1)/W for the first W steps, then 1, or f + (1 - f)·(1 + cos(πt))/2 with t from 0 to 1 (PyTorch's LinearLR and CosineAnnealingLR).
 */
export const learningRateFactor = (step: number, totalSteps: number, stepsPerEpoch: number, schedule: ScheduleOptions): number => {
  const warmup = Math.round(schedule.warmupSteps ?? (schedule.warmupEpochs ?? 0) * stepsPerEpoch);
  if (step < warmup) return (step + 1) / warmup;
  if (schedule.kind === "constant") return 1;
  const progress = Math.min(1, (step - warmup) / Math.max(1, totalSteps - warmup));
  return schedule.finalRatio + (1 - schedule.finalRatio) * (1 + Math.cos(Math.PI * progress)) / 2;
};

/** EMA decay at the `updates`-th update (from 1). */
export const emaDecay = (updates: number, ema: EmaOptions): number =>
  ema.rampSteps > 0 ? ema.decay * (1 - Math.exp(-updates / ema.rampSteps)) : ema.decay;
