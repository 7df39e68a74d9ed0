import { UserError } from "../graph/error.ts";
import { reasonOf } from "../input/reason.ts";

export const notFinite = (what: string, step: number, learningRate: number, loss: number, gradientNorm: number): UserError =>
  new UserError("NOT_FINITE", `Training stopped at step ${step} (learning rate ${learningRate.toPrecision(3)}): ${what} (loss ${loss}, gradient norm ${gradientNorm}).`,
    "lower the learning rate, lengthen the warm-up or set clipNorm; if a label or picture is broken, nonFinite: skip leaves such steps out.");

export const tooManySkipped = (skipped: number, step: number): UserError =>
  new UserError("NOT_FINITE", `Training stopped at step ${step}: ${skipped} steps in a row had a loss or gradient that is not finite.`,
    "lower the learning rate or lengthen the warm-up, then start again with --fresh.");

export const checkpointOfOther = (path: string): UserError =>
  new UserError("CHECKPOINT_OTHER", `The checkpoint ${path} belongs to another training: the model, the data or the options differ.`,
    "start again with --fresh, or restore the settings that the checkpoint was made with.");

export const checkpointCorrupt = (path: string, reason: string): UserError =>
  new UserError("CHECKPOINT_CORRUPT", `The checkpoint ${path} is damaged: ${reason}.`, "start again with --fresh, or put an intact copy in its place.");

export const checkpointUnwritable = (path: string, cause: unknown): UserError =>
  new UserError("CHECKPOINT_WRITE", `Cannot write the checkpoint ${path}: ${reasonOf(cause, path)}.`,
    "check the folder, its permissions and the free disk space; the last complete checkpoint is kept, so the next run goes on from there.", { cause });

export const noBatches = (): UserError =>
  new UserError("NO_BATCHES", "The training set gives no batches.", "check that the dataset has images, or lower the batch size.");

export const badOption = (name: string, value: unknown, allowed: string): UserError =>
  new UserError("TRAINING_OPTION", `The training option ${name} is ${String(value)}.`, `set it to ${allowed}.`);
