import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cutHead, type TrainableFamily } from "../detection/canonical.ts";
import { parameterOf } from "../detection/objective.ts";
import { trainingBatch, type BatchSpec } from "../detection/batches.ts";
import { cacheTeachers } from "../detection/teacher.ts";
import type { TeacherCacheFiles } from "../detection/teacher-cache.ts";
import { trainDetector } from "../detection/train.ts";
import type { VariantPlan } from "../detection/variants.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import type { Preprocess } from "../vision/types.ts";
import { serializeModel } from "../onnx/save.ts";
import type { SessionOptions } from "../runtime/session.ts";
import type { EpochRecord } from "../training/state.ts";
import type { TrainingOptions } from "../training/options.ts";
import type { LoadedConfig } from "./config.ts";
import { hashOf } from "./hash.ts";
import { warnDamaged } from "./kept.ts";
import { lockFolder } from "./lock.ts";
import { points } from "../report/figures.ts";
import type { Plan } from "./plan.ts";
import { lazyTask, type Reporter } from "./progress.ts";
import type { Choice, TrainingPoint } from "./result.ts";
import { loadTrained, TrainingFolder } from "./training-folder.ts";
import { version } from "./version.ts";
import { largest } from "../input/largest.ts";

export interface TrainingJob {
  /** Shown to people and part of the folder's name, e.g. "distilled". */
  readonly name: string;
  readonly graph: Graph;
  readonly epochs: number;
  readonly learningRate: number;
  /** Learn from the config's teachers; without them from labels alone. */
  readonly teacher: boolean;
  readonly warmupEpochs?: number;
  /** The weights are fresh: there is nothing to measure before training. Default false. */
  readonly fresh?: boolean;
  /** How the runtime must be set to measure accuracy on the way (fake quantization). */
  readonly session?: SessionOptions;
  /** Further options of the trainer. */
  readonly training?: Partial<TrainingOptions>;
}

export interface TrainingResult {
  /** The state that did best on the validation set, the start included; with batch normalization, weights averaged. */
  readonly graph: Graph;
  /** Epoch 0 is the start; the chosen epoch is marked. */
  readonly curve: readonly TrainingPoint[];
  /** How the state was chosen. */
  readonly choice: Choice;
}

/** Trains detectors on the plan's data, for whichever stage asks; a finished training is never repeated, an interrupted one goes on. */
export interface Trainer {
  train(job: TrainingJob): Promise<TrainingResult>;
  /** What all its trainings have in common, for a stage's identity. */
  readonly identity: unknown;
  /** Batches of the training set as the trainer sees them; with the teachers' outputs where there are any. */
  batches(count: VariantPlan, teacher: boolean): Promise<BatchSpec>;
}

export interface TrainerOptions {
  readonly loaded: LoadedConfig;
  readonly plan: Plan;
  readonly cacheFolder: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal | undefined;
  readonly fresh: boolean;
  readonly measureMap: (graph: Graph, label: string, session?: SessionOptions) => Promise<{ readonly map: number; readonly map50: number }>;
}

export const createTrainer = (options: TrainerOptions): Trainer => {
  const { loaded: { config }, plan } = options;
  const { distill } = config;
  let cached: Promise<CachedTeacher> | undefined;
  const common = (variants: VariantPlan): Omit<BatchSpec, "teacher"> => ({
    items: plan.train.items.map(({ path, boxes }) => ({ path, boxes })),
    contract: plan.student.contract, classCount: plan.classes.length, batch: distill.batch, seed: config.seed, plan: variants,
    augment: distill.augment === false ? null : definedOnly(distill.augment), assignment: distill.assignment,
  });
  const teacherOutputs = (): Promise<CachedTeacher> => (cached ??= runTeachers(options, common({ epochs: Math.max(1, distill.epochs), count: distill.variants })));
  const identity = {
    version, seed: config.seed, train: plan.fingerprints.train, classes: plan.classes, family: plan.student.family, contract: plan.student.contract,
    batch: distill.batch, augment: distill.augment, assignment: distill.assignment, weightDecay: distill.weightDecay,
    val: plan.fingerprints.val, evaluateEvery: distill.evaluateEvery,
  };
  const teacherIdentity = { variants: distill.variants, alpha: distill.alpha, temperature: distill.temperature, distribution: distill.distribution, features: distill.features, teachers: plan.teachers.map(({ identity: of, weight, mode }) => [of, weight, mode ?? null]) };
  const batches = async (variants: VariantPlan, teacher: boolean): Promise<BatchSpec> => {
    const files = teacher ? await teacherOutputs() : null;
    return { ...common(variants), assignment: teacher ? distill.assignment : "atss", teacher: files && { files: files.files, sections: files.sections, pictures: files.pictures } };
  };
  const train = async (job: TrainingJob): Promise<TrainingResult> => {
    const teacher = job.teacher && plan.teachers.length > 0 && distill.alpha > 0;
    const key = hashOf(identity, teacher ? teacherIdentity : null, { epochs: job.epochs, learningRate: job.learningRate, warmupEpochs: job.warmupEpochs, training: job.training }, serializeModel(job.graph));
    const folder = join(options.cacheFolder, "training", `${job.name}-${key.slice(0, 12)}`);
    if (options.fresh) await rm(folder, { recursive: true, force: true });
    const kept = new TrainingFolder(folder, key, job.name, options.reporter);
    const finished = await kept.finished();
    if (finished) {
      options.reporter.line(`${job.name}: trained already`);
      return { ...finished, choice: choiceOf(job.name, finished.curve) };
    }
    const unlock = await lockFolder(folder, { onWait: (line) => options.reporter.line(line) });
    const held: TrainerOptions = { ...options, signal: AbortSignal.any([unlock.lost, ...(options.signal ? [options.signal] : [])]) };
    try {
      return await trainInto(kept, job, teacher, batches, held).catch(async (error: unknown) => {
        if (!(error instanceof UserError && error.code === "CHECKPOINT_OTHER")) throw error;
        warnDamaged(options.reporter, kept.checkpoint, "belongs to something else", `${job.name} is trained again from its start`);
        await kept.clear();
        return trainInto(kept, job, teacher, batches, held);
      });
    } finally {
      await unlock();
    }
  };
  return { train, batches, identity: { ...identity, teacher: plan.teachers.length > 0 ? teacherIdentity : null } };
};

type CachedTeacher = TeacherCacheFiles & { readonly aligned: boolean; readonly hasDistribution: boolean };

const definedOnly = (values: Readonly<Record<string, number | undefined>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined));

const runTeachers = async ({ loaded: { config }, plan, cacheFolder, reporter, signal }: TrainerOptions, batches: Omit<BatchSpec, "teacher">): Promise<CachedTeacher> => {
  const { assignment: _assignment, ...pictures } = batches;
  const regMax = config.distill.distribution ? distributionBins(plan.student.graph, plan.student.family) : undefined;
  const task = lazyTask(reporter, `teacher on ${pictures.items.length} pictures × ${pictures.plan.count} variants`, "picture");
  try {
    return await cacheTeachers({
      teachers: plan.teachers, classes: plan.classes, batches: pictures, contents: plan.fingerprints.train, folder: join(cacheFolder, "teacher"), onProgress: task.update,
      onDamage: (path, damage) => warnDamaged(reporter, path, damage, "the teacher is run again for it"),
      ...(regMax !== undefined && { regMax }), features: config.distill.features !== "none", ...(config.threads !== undefined && { threads: config.threads }), ...(signal && { signal }),
    });
  } finally {
    task.end();
  }
};

/** Network inputs beyond this are raw pixels, not normalized ones. */
const rawPixels = 16;

/**
 * The parameters of the convolutions that read the picture, where the contract hands over raw pixels (YOLOX: 0..255): their weights are so small that steps
 * of a size for all others destroy them.
 */
const rawPixelStem = (graph: Graph, { scale, mean, std }: Preprocess): ((name: string) => boolean) => {
  const furthest = largest(mean.map((m, channel) => Math.abs(255 * scale - m) / std[channel]!));
  if (furthest < rawPixels) return () => false;
  const names = new Set<string>();
  const seen = new Set<Value>(graph.inputs);
  for (const value of seen) {
    for (const node of value.readers) {
      if (node.opType === "Conv") for (const slot of [1, 2]) names.add(parameterOf(node.optionalIn(slot))?.name ?? "");
      else node.outputs.forEach((output) => seen.add(output));
    }
  }
  return (name) => names.has(name);
};

/** regMax of the student's head; undefined where it has no box distribution. */
const distributionBins = (graph: Graph, family: TrainableFamily): number | undefined => {
  if (family !== "yolov8") return undefined;
  const channels = cutHead(graph, family).levels[0]?.box.shape?.[1];
  return typeof channels === "number" ? channels / 4 : undefined;
};

const trainInto = async (folder: TrainingFolder, job: TrainingJob, teacher: boolean, batches: Trainer["batches"], options: TrainerOptions): Promise<TrainingResult> => {
  const { loaded: { config }, plan, reporter, signal } = options;
  const { distill } = config;
  const { teacher: cache, ...spec } = await batches({ epochs: job.epochs, count: teacher ? distill.variants : 0 }, teacher);
  const batch = trainingBatch(spec);
  const perEpoch = Math.floor(spec.items.length / batch);
  const every = distill.evaluateEvery ?? Math.ceil(job.epochs / 5);
  const isDue = (epoch: number): boolean => epoch === job.epochs || (every > 0 && epoch % every === 0);
  const { measured, keeper } = await folder.progress({ measuresStart: job.fresh !== true, isDue });
  const keep = async (point: TrainingPoint, graph: () => Graph): Promise<void> => {
    measured.set(point.epoch, point);
    if (typeof point.map === "number") await keeper.offer(point.epoch, point.map, graph);
    await folder.writeCurve([...measured.values()]);
  };
  if (job.fresh !== true && !measured.has(0)) {
    const start = await options.measureMap(job.graph, `${job.name} before training`, job.session);
    reporter.line(`${job.name} before training: mAP ${points(start.map)}, mAP50 ${points(start.map50)}`);
    await keep(startPoint(start), () => job.graph);
  }
  const task = lazyTask(reporter, `training ${job.name}`, "step");
  let smooth: number | undefined;
  try {
    const { graph, history } = await trainDetector({
      student: job.graph, family: plan.student.family, batches: spec, epochs: job.epochs, learningRate: job.learningRate, weightDecay: distill.weightDecay,
      warmupEpochs: Math.min(job.warmupEpochs ?? distill.warmupEpochs, job.epochs / 2), temperature: distill.temperature, alpha: distill.alpha,
      frozen: rawPixelStem(job.graph, plan.student.contract),
      ...(cache && { teacher: cache }), ...(cache && distill.features !== "none" && { features: distill.features }),
      training: { ...(config.threads !== undefined && { threads: config.threads }), ...job.training },
    }, {
      checkpointPath: folder.checkpoint, ...(signal && { signal }),
      onStep: ({ step, totalSteps, loss, epoch }) => {
        smooth = smooth === undefined || !Number.isFinite(smooth) ? loss : 0.95 * smooth + 0.05 * loss;
        task.update(step, totalSteps, `epoch ${epoch}/${job.epochs} loss ${smooth.toFixed(3)}`);
      },
      onEpoch: async (record, deployed) => {
        const accuracy = isDue(record.epoch) ? await options.measureMap(deployed(), `${job.name} after epoch ${record.epoch}`, job.session) : undefined;
        await keep(pointOf(record, perEpoch, batch, accuracy), deployed);
        reporter.line(`${job.name} epoch ${record.epoch}/${job.epochs}: loss ${record.loss.toFixed(4)}, ${((perEpoch * batch) / record.seconds).toFixed(1)} pictures/s (${(100 * record.dataWaitShare).toFixed(0)} % waiting for data)${accuracy ? `, mAP ${points(accuracy.map)}, mAP50 ${points(accuracy.map50)}` : ""}`);
      },
    });
    const best = keeper.best;
    const curve = [...(measured.has(0) ? [measured.get(0)!] : []), ...history.map((record) => measured.get(record.epoch) ?? pointOf(record, perEpoch, batch, undefined))]
      .map((point) => (point.epoch === best?.epoch ? { ...point, chosen: true } : point));
    const choice = choiceOf(job.name, curve);
    if (choice.chosen !== `epoch ${job.epochs}`) reporter.line(`${job.name}: ${choice.chosen} is kept (mAP ${points(choice.map)}; the last has ${points(choice.plainMap)})`);
    return { graph: await folder.finish(best ? await loadTrained(best.model) : graph, curve, keeper), curve, choice };
  } finally {
    task.end();
  }
};

/** The best of the states that were measured. */
const choiceOf = (name: string, curve: readonly TrainingPoint[]): Choice => {
  const measured = curve.filter(({ map }) => typeof map === "number");
  const best = measured.find(({ chosen }) => chosen === true) ?? measured.at(-1);
  return {
    what: `state of ${name}`, candidates: measured.length, chosen: best?.epoch === 0 ? "the start" : `epoch ${best?.epoch ?? curve.at(-1)?.epoch ?? 0}`,
    map: best?.map ?? 0, plainMap: measured.at(-1)?.map ?? 0,
  };
};

const startPoint = (accuracy: { readonly map: number; readonly map50: number }): TrainingPoint =>
  ({ epoch: 0, step: 0, losses: {}, lr: 0, imagesPerSecond: 0, map: accuracy.map, map50: accuracy.map50 });

const pointOf = (record: EpochRecord, perEpoch: number, batch: number, accuracy: { readonly map: number; readonly map50: number } | undefined): TrainingPoint => ({
  epoch: record.epoch, step: record.epoch * perEpoch, losses: { total: record.loss, ...record.metrics }, lr: record.learningRate,
  imagesPerSecond: record.seconds > 0 ? (perEpoch * batch) / record.seconds : 0,
  ...(accuracy && { map: accuracy.map, map50: accuracy.map50 }),
});
