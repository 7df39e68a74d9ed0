import type { Graph } from "../graph/graph.ts";
import type { EpochRecord } from "../training/state.ts";
import { writeTensors } from "../training/finish.ts";
import { adamw, type TrainingOptions } from "../training/options.ts";
import { withBatch } from "../training/problem.ts";
import { train, type StepReport } from "../training/train.ts";
import { moduleBeside, workerSource } from "../training/workers.ts";
import { trainingBatch, type BatchSpec } from "./batches.ts";
import type { TrainableFamily } from "./canonical.ts";
import { detectionObjective, type ObjectiveOptions } from "./objective.ts";
import type { TeacherCacheFiles } from "./teacher-cache.ts";

export interface DetectorTraining {
  /** Canonical detector (see `canonicalDetector`) or one from students/. */
  readonly student: Graph;
  readonly family: TrainableFamily;
  readonly batches: Omit<BatchSpec, "teacher">;
  readonly teacher?: TeacherCacheFiles;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly features?: ObjectiveOptions["features"];
  readonly gains?: ObjectiveOptions["gains"];
  readonly frozen?: ObjectiveOptions["frozen"];
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay?: number;
  readonly warmupEpochs?: number;
  readonly training?: Partial<TrainingOptions>;
}

export interface DetectorTrainingHooks {
  readonly onStep?: (report: StepReport) => void;
  /** `deployed()` is the detector as it stands after the epoch. */
  readonly onEpoch?: (record: EpochRecord, deployed: () => Graph) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly checkpointPath?: string;
  readonly fresh?: boolean;
}

export interface TrainedDetector {
  readonly graph: Graph;
  readonly history: readonly EpochRecord[];
}

/**
 * Trains a detector on labelled (and, with a teacher, unlabelled) pictures: distillation with a teacher, plain supervised training without.
 * The same engine serves recovery after pruning and quantization-aware training: they pass another `student`.
 */
export const trainDetector = async (job: DetectorTraining, hooks: DetectorTrainingHooks = {}): Promise<TrainedDetector> => {
  const { teacher, features } = job;
  const objective = detectionObjective(job.student, {
    family: job.family, classCount: job.batches.classCount,
    ...(teacher && { teacher }), ...(job.temperature !== undefined && { temperature: job.temperature }), ...(job.alpha !== undefined && { alpha: job.alpha }),
    ...(features && { features }), ...(job.gains && { gains: job.gains }), ...(job.frozen && { frozen: job.frozen }),
  });
  const problem = withBatch(objective, trainingBatch(job.batches));
  const spec: BatchSpec = { ...job.batches, teacher: teacher ? { files: teacher.files, sections: teacher.sections, pictures: teacher.pictures } : null };
  const source = workerSource(moduleBeside(import.meta.url, "./batches"), spec);
  const options: TrainingOptions = {
    epochs: job.epochs,
    optimizer: adamw({ learningRate: job.learningRate, weightDecay: job.weightDecay ?? 0.025 }),
    schedule: { kind: "cosine", warmupEpochs: job.warmupEpochs ?? 1, finalRatio: 0.02 },
    clipNorm: 10,
    ema: { decay: 0.999, rampSteps: 300 },
    nonFinite: "skip",
    ...job.training,
  };
  const deployed = (tensors: Parameters<typeof writeTensors>[1]): Graph => {
    const graph = job.student.clone();
    writeTensors(graph, tensors);
    return graph;
  };
  const { onEpoch, ...rest } = hooks;
  const result = await train(problem, source, options, {
    ...rest,
    ...(onEpoch && { onEpoch: (record, trained) => onEpoch(record, () => deployed(trained().tensors)) }),
  });
  return { graph: deployed(result.tensors), history: result.history };
};
