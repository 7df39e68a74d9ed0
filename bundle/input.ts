import type { DetectorModel } from "../detection/detector.ts";
import type { RunResult } from "../pipeline/result.ts";
import type { DatasetItem } from "../vision/index.ts";
import type { BundleFormat, ModelRole } from "./manifest-schema.ts";

/** A model file that goes into the bundle. */
export interface BundledModel {
  readonly role: ModelRole;
  /** Name of the variant in run.json. */
  readonly variant: string;
  readonly path: string;
  readonly model: DetectorModel;
  /** ONNX Runtime session configuration under which it computes what its target computes. */
  readonly session: Readonly<Record<string, string>>;
}

/** One line of the config's `requirements`. */
export interface Requirement {
  readonly id: string;
  readonly metric: string;
  readonly limit: number;
  readonly slice: string;
}

/** Labelled pictures to measure evidence on. */
export interface EvidenceData {
  readonly items: readonly DatasetItem[];
  readonly classes: readonly string[];
  /** Ids of the pictures of each named slice. */
  readonly slices: Readonly<Record<string, ReadonlySet<string>>>;
  readonly fingerprints: { readonly train: string; readonly val: string };
  readonly trainImages: number;
}

/** Everything that a bundle is made from. */
export interface BundleInput {
  readonly result: RunResult;
  /** The float model first. */
  readonly models: readonly BundledModel[];
  readonly formats: readonly BundleFormat[];
  readonly thresholds: { readonly score: number; readonly iou: number; readonly maxDetections: number };
  readonly requirements: readonly Requirement[];
  readonly data: EvidenceData | null;
  /** Symmetric clipping bound by value name of the float model (TensorRT's dynamic range); null where the run keeps none. */
  readonly ranges: ReadonlyMap<string, number> | null;
  /** Autoware's label by class name, over the usual ones. */
  readonly autowareLabels: Readonly<Record<string, string>>;
  /** Timing caches that a target produced, by file name. */
  readonly timingCaches: ReadonlyMap<string, Uint8Array>;
  readonly limits: readonly string[];
  readonly notes: readonly string[];
}

/** The files of a bundle in the making: path inside it → content. */
export type Files = Map<string, Uint8Array>;

export const addText = (files: Files, path: string, text: string): void => {
  if (files.has(path)) throw new Error(`bug: ${path} is written twice`);
  files.set(path, Buffer.from(text));
};

/** JSON with two spaces and a newline at the end. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
