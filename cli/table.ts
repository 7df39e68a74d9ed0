import Table from "cli-table3";
import colors from "picocolors";
import type { RunResult, Variant } from "../pipeline/result.ts";
import { bytes, count, ms, points, signedPoints } from "../report/figures.ts";
import { finalVariant, mapChange, targetsOf, timed, variantNamed } from "../report/variants.ts";

/** The table of variants, as compress prints it at the end. */
export const variantTable = (result: RunResult): string => {
  const targets = targetsOf(result);
  const table = new Table({
    head: ["variant", "mAP", "mAP50", "vs parent", "params", "MACs", "size", ...targets.flatMap((target) => [`${target} p50 ms`, "FPS"])],
    colAligns: ["left", ...Array.from({ length: 6 + 2 * targets.length }, () => "right" as const)],
    style: { head: [], border: [], compact: true },
  });
  const final = finalVariant(result);
  for (const variant of result.variants) {
    const cells = row(result, variant, targets);
    table.push(variant === final ? cells.map((cell) => colors.bold(cell)) : cells);
  }
  return table.toString();
};

const row = (result: RunResult, variant: Variant, targets: readonly string[]): string[] => {
  const { accuracy } = variant;
  const change = mapChange(variant, variantNamed(result, variant.parent));
  return [
    variant.name, accuracy ? points(accuracy.map) : "–", accuracy ? points(accuracy.map50) : "–", change === undefined ? "–" : signedPoints(change),
    count(variant.parameters), count(variant.macs), bytes(variant.sizeBytes),
    ...targets.flatMap((target) => {
      const record = variant.latency[target];
      return timed(record) ? [`${ms(record.inferenceMs.p50)}${record.stable ? "" : " ?"}`, ms(record.fps)] : ["–", "–"];
    }),
  ];
};

/** Why times carry a question mark; empty where none does. */
export const stabilityNote = (result: RunResult): string => {
  const reasons = new Set(result.variants.flatMap(({ latency }) => Object.values(latency).flatMap((record) => (record.stable ? [] : (record.unstableReasons ?? ["no reason recorded"])))));
  return reasons.size === 0 ? "" : `? not stable: ${[...reasons].slice(0, 3).join("; ")}${reasons.size > 3 ? "; …" : ""}`;
};
