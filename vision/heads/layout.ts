import type { PreprocessPreset } from "../preprocess.ts";
import type { Facts } from "./facts.ts";
import type { Readings } from "./readings.ts";
import type { Candidate, HeadFamily, NearMiss } from "./types.ts";

/** One way in which detectors put out their boxes: a row of the table in layouts.ts. */
export interface Layout {
  readonly name: string;
  readonly family: HeadFamily;
  /** How its exporters give pictures to the model, where the file does not say it. */
  readonly preprocess: PreprocessPreset;
  /** The readings that names, shapes, metadata and ops allow, and what nearly fits. */
  readonly recognise: (facts: Facts) => readonly (Candidate | NearMiss)[];
  /** What a run shows against this layout in particular, beside what `contradictions` checks for all. */
  readonly check?: (readings: Readings, facts: Facts) => readonly string[];
}

/** Candidates of one layout: fills in its name. */
export const candidate = (
  layout: string,
  head: Candidate["head"],
  more: { readonly doubt?: number; readonly weak?: boolean } = {},
): Candidate => ({ layout, head, doubt: more.doubt ?? 0, weak: more.weak ?? false });
