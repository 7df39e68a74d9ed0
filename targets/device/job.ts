import type { SessionOptions } from "../../runtime/file-session.ts";
import type { Head } from "../../vision/heads.ts";
import type { Preprocess } from "../../vision/types.ts";
import type { Moment } from "../target.ts";

/** What the runner on a device is told (job.json), and the JSON lines that it answers. */
export interface DeviceJob {
  readonly model: string;
  /** The runner starts while files are still on their way, and waits until this one is there. */
  readonly awaited: string | null;
  readonly session: SessionOptions;
  readonly batch: number;
  readonly runs: number;
  readonly seconds: number;
  /** Longest warm-up. */
  readonly warmupSeconds: number;
  readonly soakSeconds: number;
  /** Detector and picture for the time from pixels to boxes. */
  readonly detector: { readonly head: Head; readonly contract: Preprocess; readonly picture: string; readonly width: number; readonly height: number } | null;
  /** Where to write the outputs of one run on `patternFeeds`: float32 or raw bytes, one output after the other. */
  readonly outputs: string | null;
}

/** The other thing that the runner does: a model on pictures, for what it computes. */
export interface PicturesJob {
  readonly model: string;
  readonly session: SessionOptions;
  readonly contract: Preprocess;
  /** File of 8-bit RGB pixels of all pictures, one after the other. */
  readonly pictures: string;
  readonly sizes: readonly (readonly [width: number, height: number])[];
  /** Where to write all outputs of all pictures, one after the other, raw. */
  readonly outputs: string;
}

export interface PicturesResult {
  readonly kind: "pictures";
  /** By picture: sha256 of the input tensor's bytes, and what of the file is whose. */
  readonly answers: readonly { readonly tensorSha256: string; readonly outputs: readonly OutputFacts[] }[];
}

export interface SensorReading {
  readonly seconds: number;
  readonly temperatureC: number | null;
  readonly clockMHz: number | null;
  readonly throttledBits: string | null;
}

export interface SoakPoint {
  readonly seconds: number;
  readonly fps: number;
  readonly p99Ms: number;
  readonly temperatureC: number | null;
  readonly clockMHz: number | null;
}

export interface OutputFacts {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface DeviceResult {
  readonly kind: "result";
  readonly warmup: number;
  /** Cores that were busy with other work just before measuring; null where the system does not say. */
  readonly busyCores: number | null;
  readonly roundsMs: readonly (readonly number[])[];
  readonly endToEndMs: readonly number[];
  readonly memoryBytes: number;
  readonly sensors: readonly SensorReading[];
  readonly soak: readonly SoakPoint[];
  readonly outputs: readonly OutputFacts[];
  readonly node: string;
  readonly onnxruntime: string;
  readonly architecture: string;
}

export type DeviceReply =
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly what: "measuring" | "soak" }
  | { readonly kind: "moment"; readonly moment: Moment }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly nextStep: string }
  | DeviceResult | PicturesResult;
