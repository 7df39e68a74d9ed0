import type { RunResult, Variant } from "../pipeline/result.ts";
import { bytes, count, ms, points, signedPoints } from "../report/figures.ts";
import { finalVariant, mapChange, recordOn, targetsOf, timed, variantNamed } from "../report/variants.ts";
import { colorsFor } from "./colors.ts";
import { printable } from "./terminal-text.ts";
import { textTable, type TextColumn } from "./text-table.ts";

const figure = (head: string): TextColumn => ({ head, align: "right" });

/** The table of variants, as compress prints it at the end: accuracy in points of 100. */
export const variantTable = (result: RunResult, columns?: number): string => {
  const targets = targetsOf(result);
  const heads = [{ head: "variant" }, ...["mAP", "mAP50", "vs parent", "params", "MACs", "size", ...targets.flatMap((target) => [`${printable(target)} p50 ms`, "FPS"])].map(figure)];
  const { bold } = colorsFor(process.stdout);
  const final = finalVariant(result);
  return textTable(heads, result.variants.map((variant) => {
    const cells = row(result, variant, targets).map(printable);
    return variant === final ? cells.map((cell) => bold(cell)) : cells;
  }), columns);
};

const row = (result: RunResult, variant: Variant, targets: readonly string[]): string[] => {
  const { accuracy } = variant;
  const change = mapChange(variant, variantNamed(result, variant.parent));
  return [
    variant.name, accuracy ? points(accuracy.map) : "–", accuracy ? points(accuracy.map50) : "–", change === undefined ? "–" : signedPoints(change),
    count(variant.parameters), count(variant.macs), bytes(variant.sizeBytes),
    ...targets.flatMap((target) => {
      const record = recordOn(variant, target);
      return timed(record) ? [`${ms(record.inferenceMs.p50)}${record.stable ? "" : " ?"}`, ms(record.fps)] : ["–", "–"];
    }),
  ];
};

/** Why times carry a question mark; empty where none does. */
export const stabilityNote = (result: RunResult): string => {
  const reasons = new Set(result.variants.flatMap(({ latency }) => Object.values(latency).flatMap((record) => (record.stable ? [] : (record.unstableReasons ?? ["no reason recorded"])))));
  return reasons.size === 0 ? "" : `? not stable: ${[...reasons].slice(0, 3).join("; ")}${reasons.size > 3 ? "; …" : ""}`;
};
