import type { SessionOptions } from "../runtime/file-session.ts";
import type { BenchmarkRecord } from "../pipeline/result.ts";

/** One model to measure. */
export interface BenchmarkModel {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly precision: string;
  /** Settings that its numerics need: of an int8 file, on any machine. */
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
  /** Threads of the runtime: a number, 1 to all cores in turn, or (absent) all cores of the target. */
  readonly threads?: number | "sweep" | undefined;
  /** Pictures per run; [1] where absent. */
  readonly batches?: readonly number[];
  /** Seconds of FPS over time after the measurement. */
  readonly soakSeconds?: number | undefined;
  /** Lock the clocks for the run, and restore them, on targets that can. */
  readonly lockClocks?: boolean | undefined;
  /** Folder of this machine for what a target has learned beside its records: TensorRT's timing caches. */
  readonly keepIn?: string | undefined;
}

/** What a benchmark on a device has reached. The runner starts while models are still on their way, so the order of the middle ones varies. */
export type Moment = "connected" | "probed" | "runner copied" | "models copied" | "runner started" | "model opened" | "measuring";

export interface BenchmarkHooks {
  readonly onProgress?: (done: number, total: number) => void;
  /** Other work that takes a while, such as a copy or an engine build. */
  readonly onStep?: (label: string, done: number, total: number, unit: string) => void;
  /** Each moment, when it is reached; those of the runner come once per record. */
  readonly onMoment?: (moment: Moment) => void;
  /** A line for people. */
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where models run in the end: data plus a transport. No stage asks what kind it is. */
export interface Target {
  readonly name: string;
  readonly kind: string;
  /** Whose int8 files run there. */
  readonly runtime: "cpu" | "tensorrt";
  /** One record per model, thread count and batch size, in this order; ISO time comes from the target. */
  benchmark(job: BenchmarkJob, hooks?: BenchmarkHooks): Promise<readonly BenchmarkRecord[]>;
}
