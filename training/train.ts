import { availableParallelism } from "node:os";
import type { Session } from "../runtime/session.ts";
import type { BatchSource } from "./batches.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { badOption, noBatches } from "./errors.ts";
import { fingerprint } from "./fingerprint.ts";
import type { TrainedModel, TrainingHooks } from "./hooks.ts";
import type { TrainingOptions } from "./options.ts";
import type { TrainingProblem } from "./problem.ts";
import { Run } from "./run.ts";
import { openTraining } from "./session.ts";
import { noSums } from "./state.ts";
import { buildAccumulation, buildStep, initialVectors, layoutsOf } from "./step.ts";

export type { StepReport, TrainedModel, TrainingHooks } from "./hooks.ts";

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
    const run = new Run({ problem, options, hooks, layouts, feed, step: sessions[0]!, accumulation: sessions[1], identity });
    const start = restored ?? { step: 0, updates: 0, skippedInRow: 0, vectors: initialVectors(layouts, options), sums: noSums, history: [] };
    await run.save(start); // an unwritable path shows before the work, not after it
    return await run.toEnd(start);
  } finally {
    await Promise.all([feed.close(), ...sessions.map((session) => session.close())]);
  }
};

const checkOptions = ({ epochs, accumulate = 1, optimizer, schedule }: TrainingOptions): void => {
  if (!Number.isInteger(epochs) || epochs < 1) throw badOption("epochs", epochs, "a whole number of at least 1");
  if (!Number.isInteger(accumulate) || accumulate < 1) throw badOption("accumulate", accumulate, "a whole number of at least 1");
  if (!(optimizer.learningRate > 0)) throw badOption("learningRate", optimizer.learningRate, "a number above 0");
  if (!(schedule.finalRatio >= 0 && schedule.finalRatio <= 1)) throw badOption("finalRatio", schedule.finalRatio, "a number from 0 to 1");
};
