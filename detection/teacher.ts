import { createHash } from "node:crypto";
import { mkdirSync, openSync, closeSync, writeSync, renameSync, fsyncSync } from "node:fs";
import { join } from "node:path";
import type { Damage } from "../files/seal.ts";
import { UserError } from "../graph/error.ts";
import { serializeModel } from "../onnx/save.ts";
import { moduleBeside, workerSource } from "../training/workers.ts";
import { anchorCount, anchorLevels } from "./anchors.ts";
import type { BatchSpec, PictureSpec } from "./batches.ts";
import type { DetectorModel } from "./detector.ts";
import { narrow } from "./half.ts";
import { startTeacher, usualMode, type RunningTeacher, type SoftTargets, type TeacherMode } from "./teacher-run.ts";
import { boxScale, OutputsSeal, recordBytes, type Section, type TeacherCacheFiles } from "./teacher-cache.ts";
import { smallest } from "../input/largest.ts";

/** A teacher and its share in the soft labels of several. */
export interface Teacher {
  readonly model: DetectorModel;
  readonly weight: number;
  /** How it is matched with the student's anchors, as the plan has proven it; by the head's family where absent. */
  readonly mode?: TeacherMode;
}

export interface TeacherOptions {
  readonly teachers: readonly Teacher[];
  /** The student's classes; every teacher must know them all. */
  readonly classes: readonly string[];
  /** What the student will be trained on. */
  readonly batches: Omit<BatchSpec, "assignment" | "teacher">;
  /** Hash of what the pictures contain: those of a path may have changed. */
  readonly contents?: string;
  /** Folder for the cached outputs; files of other settings may lie beside. */
  readonly folder: string;
  /** Also keep the box distributions (DFL logits): needs one aligned teacher with this regMax. */
  readonly regMax?: number;
  /** Also keep the neck's features of each level: needs one aligned teacher. */
  readonly features?: boolean;
  readonly threads?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** A kept file is not as it was written: it is computed again. */
  readonly onDamage?: (path: string, damage: Damage) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs the teachers once over every (picture, variant) and keeps their soft labels on disk in float16; a finished file is not computed again while it is as it was written.
 * A teacher with the student's anchors (YOLOv8 or YOLOX head, brought to the student's input size) is matched anchor by anchor;
 * any other is decoded at its own size and its boxes, with their class-probability vectors, are assigned to the student's anchors by ATSS.
 */
export const cacheTeachers = async (options: TeacherOptions): Promise<TeacherCacheFiles & { readonly aligned: boolean; readonly hasDistribution: boolean }> => {
  const { batches, classes } = options;
  const anchors = anchorCount(anchorLevels(batches.contract.size));
  const running = await Promise.all(options.teachers.map(({ model, mode }) => startTeacher(model, mode ?? usualMode(model), { ...options, size: batches.contract.size })));
  try {
    const hasDistribution = options.regMax !== undefined && running.length === 1 && running[0]!.regMax === options.regMax;
    const sections: Section[] = [{ name: "teacher/scores", shape: [classes.length, anchors] }, { name: "teacher/boxes", shape: [4, anchors] }];
    if (hasDistribution) sections.push({ name: "teacher/distribution", shape: [4, options.regMax, anchors] });
    if (options.features) {
      if (running.length !== 1 || !running[0]!.aligned) throw featuresNeedOneTeacher();
      sections.push(...running[0]!.featureShapes.map((shape, level) => ({ name: `teacher/feature${level}`, shape })));
    }
    const variants = Math.max(1, batches.plan.count);
    const key = cacheKey(options, sections);
    const folder = join(options.folder, key);
    mkdirSync(folder, { recursive: true });
    const files = Array.from({ length: variants }, (_, variant) => join(folder, `variant-${variant}.f16`));
    const seals = files.map((file, variant) => new OutputsSeal(file, `teacher outputs ${key} ${variant}`, recordBytes(sections) * batches.items.length));
    const missing: number[] = [];
    for (const [variant, seal] of seals.entries()) if (!(await seal.isWhole(options.onDamage))) missing.push(variant);
    await fill(missing, files, running, sections, { ...options, seals });
    return { files, sections, pictures: batches.items.length, aligned: running.every((teacher) => teacher.aligned), hasDistribution };
  } finally {
    await Promise.all(running.map((teacher) => teacher.close()));
  }
};

const cacheKey = ({ teachers, classes, batches, contents = "" }: TeacherOptions, sections: readonly Section[]): string => {
  const hash = createHash("sha256");
  for (const { model, weight, mode } of teachers) hash.update(serializeModel(model.graph)).update(JSON.stringify([weight, model.contract, model.classes, model.head, mode ?? usualMode(model)]));
  const { batch: _batch, plan, ...pictures } = batches;
  return hash.update(JSON.stringify([classes, pictures, contents, plan.count, sections])).digest("hex").slice(0, 16);
};

const fill = async (missing: readonly number[], files: readonly string[], running: readonly RunningTeacher[], sections: readonly Section[], options: TeacherOptions & { readonly seals: readonly OutputsSeal[] }): Promise<void> => {
  if (missing.length === 0) return;
  const total = missing.length * options.batches.items.length;
  const batch = Math.min(8, smallest(running.map((teacher) => teacher.batch)));
  const [teacherContract, ...otherContracts] = options.teachers.map(({ model }) => ({ ...model.contract, size: options.batches.contract.size }));
  const spec: PictureSpec = { ...options.batches, kind: "pictures", batch, teacherContract: teacherContract!, otherContracts };
  const feed = await workerSource(moduleBeside(import.meta.url, "./batches"), spec).open(files.length);
  let done = 0;
  try {
    for (const variant of missing) {
      const temporary = `${files[variant]!}.part`;
      const file = openSync(temporary, "w");
      try {
        for (let index = 0; index < feed.batchesPerEpoch; index++) {
          options.signal?.throwIfAborted();
          const pictures = await feed.batch(variant, index);
          const images = pictures["images"]!;
          const soft = blend(await Promise.all(running.map((teacher, t) => teacher.targets(pictures[t === 0 ? "images" : `images${t}`]!))), options.teachers.map((teacher) => teacher.weight), sections[1]!.shape[1]!);
          const count = images.shape[0]!;
          writeSync(file, record(soft, count, sections));
          done += count;
          options.onProgress?.(done, total);
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      await options.seals[variant]!.remove();
      renameSync(temporary, files[variant]!);
      await options.seals[variant]!.write();
    }
  } finally {
    await feed.close();
  }
};

/** [N, …] of each section -> N records, each its sections one after the other, float16. */
const record = (soft: SoftTargets, count: number, sections: readonly Section[]): Uint16Array => {
  const parts = [soft.scores, soft.corners.map((pixels) => pixels / boxScale), ...(soft.distribution ? [soft.distribution] : []), ...(soft.features ?? [])];
  const lengths = sections.map((_, s) => parts[s]!.length / count);
  const values = new Float32Array(count * lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (const [s, length] of lengths.entries()) {
      values.set(parts[s]!.subarray(i * length, (i + 1) * length), at);
      at += length;
    }
  }
  return narrow(values);
};

/** Several teachers: scores are averaged by weight, boxes by weight times score (each anchor's own). */
const blend = (all: readonly SoftTargets[], weights: readonly number[], anchors: number): SoftTargets => {
  if (all.length === 1) return all[0]!;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scores = new Float32Array(all[0]!.scores.length);
  for (const [t, soft] of all.entries()) for (let i = 0; i < scores.length; i++) scores[i]! += (soft.scores[i]! * weights[t]!) / total;
  const corners = new Float32Array(all[0]!.corners.length);
  const classCount = scores.length / (corners.length / 4);
  const trust = all.map((soft, t) => bestScores(soft.scores, classCount, anchors).map((score) => (score + 1e-6) * weights[t]!));
  for (let i = 0; i < corners.length; i++) {
    const anchor = Math.floor(i / (4 * anchors)) * anchors + (i % anchors);
    let sum = 0;
    for (const [t, soft] of all.entries()) {
      corners[i]! += soft.corners[i]! * trust[t]![anchor]!;
      sum += trust[t]![anchor]!;
    }
    corners[i]! /= sum;
  }
  return { scores, corners };
};

/** Highest class score of each anchor: [N, C, A] -> [N, A]. */
const bestScores = (scores: Float32Array, classCount: number, anchors: number): Float32Array => {
  const best = new Float32Array(scores.length / classCount);
  for (let i = 0; i < scores.length; i++) {
    const at = Math.floor(i / (classCount * anchors)) * anchors + (i % anchors);
    best[at] = Math.max(best[at]!, scores[i]!);
  }
  return best;
};

export const featuresNeedOneTeacher = () =>
  new UserError("TEACHER_FEATURES", "Features can only be distilled from one teacher with a YOLOv8 or YOLOX head.", "set distill.features: none, or name one such teacher.");
