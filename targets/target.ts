import type { SessionOptions } from "../runtime/session.ts";
import type { BenchmarkRecord } from "../pipeline/result.ts";

/** One model to measure. */
export interface BenchmarkModel {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly precision: string;
  /** Settings that its numerics need on this machine. */
  readonly session?: SessionOptions;
}

export interface BenchmarkJob {
  readonly models: readonly BenchmarkModel[];
  /** JPEG or PNG for the end-to-end time; without one only the session is timed. */
  readonly picture?: string;
  /** Fewest measured runs of each model, at least 100. */
  readonly runs: number;
  /** Shortest measuring time of each model, in seconds. */
  readonly seconds: number;
  readonly threads: number;
}

export interface BenchmarkHooks {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where models run in the end: data plus a transport. No stage asks what kind it is. */
export interface Target {
  readonly name: string;
  readonly kind: string;
  /** One record per model, in order; ISO time comes from the target. */
  benchmark(job: BenchmarkJob, hooks?: BenchmarkHooks): Promise<readonly BenchmarkRecord[]>;
}
