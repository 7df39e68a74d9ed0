import type { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { SessionOptions } from "../runtime/session.ts";
import type { LoadedConfig } from "./config.ts";
import type { Plan } from "./plan.ts";
import type { Reporter } from "./progress.ts";
import type { StageReports, Variant } from "./result.ts";
import type { Trainer } from "./trainer.ts";

/** A finished model file; `model` is absolute where it lies outside the run folder. */
export interface VariantFile extends Omit<Variant, "accuracy" | "latency"> {
  readonly precision: "float32" | "int8";
  /** How the runtime must be set to compute what the target computes (int8). */
  readonly session?: SessionOptions;
  /** The runtime that an int8 file is placed for: it is timed on targets of that runtime only. Any, where absent. */
  readonly runtime?: "cpu" | "tensorrt";
  /** The same weights with batch normalization, for further training; path as `model`. */
  readonly trainable?: string;
}

export interface StageContext {
  readonly loaded: LoadedConfig;
  readonly plan: Plan;
  readonly runFolder: string;
  /** This stage's own folder, inside the run folder. */
  readonly folder: string;
  /** Content-addressed results shared by all runs of this runs folder. */
  readonly cacheFolder: string;
  /** All variants so far, in order. */
  readonly variants: readonly VariantFile[];
  /** Files of this stage that an earlier run left and that were not as they had been written: they are removed. */
  readonly damaged: readonly string[];
  /** Names of targets that are left out this time. */
  readonly withoutTargets: readonly string[];
  readonly trainer: Trainer;
  readonly reporter: Reporter;
  readonly signal: AbortSignal | undefined;
  /** mAP of a float graph on the validation set. */
  readonly measureMap: (graph: Graph, label: string) => Promise<number>;
}

export type StageName = keyof StageReports;

/** In the order in which they run. */
export const stageNames = ["plan", "distill", "prune", "quantize", "evaluate", "benchmark", "bundle"] as const satisfies readonly StageName[];

export interface StageOutcome<Name extends StageName> {
  readonly variants: readonly VariantFile[];
  readonly report: StageReports[Name];
  /** Files outside the stage's folder that the result depends on. */
  readonly files?: readonly string[];
  /** Where a part could not be done or was left out: the rest is shown, the next run does the part, and the error, if there is one, ends this run. */
  readonly undone?: { readonly error: UserError | undefined };
}

/**
 * One step of the run: variants in, variants and a report out. Stages never import each other; run.ts composes them.
 * The result is reused while `identity`, the input variants, the data sets and the version stay the same.
 */
export interface Stage<Name extends StageName> {
  readonly name: Name;
  /** Whatever of the config changes the result; undefined skips the stage. */
  identity(context: Omit<StageContext, "folder" | "damaged">): unknown;
  run(context: StageContext): Promise<StageOutcome<Name>>;
}
