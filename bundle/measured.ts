import { z } from "zod";
import type { Gate, RunResult } from "../pipeline/result.ts";
import type { RequirementRow } from "./manifest-schema.ts";
import { requirement } from "./manifest-schema.ts";
import type { Files } from "./input.ts";
import { addText, jsonText } from "./input.ts";
import { timedFile } from "./evidence/requirements.ts";

/**
 * What differs from run to run of one config: times, the machine, and verdicts on them. It lies apart from everything else, in files with a list of hashes of
 * their own, so that two runs of one config have the same SHA256SUMS. That list names SHA256SUMS too: measurements belong to one content.
 */
export const isMeasured = (path: string): boolean => path.startsWith("measured/") || path.endsWith(".timing");

export const timingsSchema = z.strictObject({
  schema: z.literal("edgestill-timings/1"),
  environment: z.record(z.string(), z.json()).describe("Versions and machine of the run."),
  latency: z.array(z.record(z.string(), z.json())).describe("Benchmark records as run.json holds them."),
  gates: z.array(z.strictObject({ name: z.string(), limit: z.number(), value: z.number().nullable(), passed: z.boolean() })),
  requirements: z.array(requirement).describe("Those on latencies; the others are in manifest.json."),
});
export type Timings = z.infer<typeof timingsSchema>;

/** A gate on a target's times is named <target>.<figure>. */
export const isTimedGate = ({ name }: { readonly name: string }): boolean => name.includes(".");
export const isTimedRequirement = ({ evidence }: { readonly evidence: string }): boolean => evidence === timedFile;

export const timingsOf = (result: RunResult, gates: readonly Gate[], requirements: readonly RequirementRow[]): Timings => ({
  schema: "edgestill-timings/1", environment: result.environment as Record<string, never>,
  latency: result.variants.flatMap(({ latency }) => Object.values(latency).map((record) => record as unknown as Record<string, never>)),
  gates: gates.filter(isTimedGate).map((gate) => ({ ...gate })), requirements: requirements.filter(isTimedRequirement),
});

/** measured/timings.json, and the same for people. */
export const addTimings = (files: Files, timings: Timings, tables: string): void => {
  addText(files, timedFile, jsonText(timings));
  addText(files, "measured/TIMINGS.md", tables);
};
