import { finalVariant, recordOn, teacherOf, timed } from "../report/variants.ts";
import type { Gate, LatencyMs, RunResult, Variant } from "./result.ts";
import { largest } from "../input/largest.ts";

/** The config's limits against what the run reached: the worst of the last stage's variants counts. A limit without a measurement fails. */
export const judgeGates = (limits: Readonly<Record<string, number>>, result: RunResult): Gate[] =>
  Object.entries(limits).map(([name, limit]) => {
    const value = valueOf(name, result);
    return { name, limit, value, passed: value !== null && value <= limit };
  });

const valueOf = (gate: string, result: RunResult): number | null => {
  const reference = teacherOf(result) ?? result.variants[0];
  const last = result.variants.filter(({ stage }) => stage === result.variants.at(-1)?.stage);
  const final = finalVariant(result);
  if (!reference || !final) return null;
  switch (gate) {
    case "mapDrop": return worst(last.map((variant) => difference(reference, variant, "map")));
    case "map50Drop": return worst(last.map((variant) => difference(reference, variant, "map50")));
    case "sizeRatio": return final.sizeBytes / reference.sizeBytes;
    case "macsRatio": return final.macs / reference.macs;
    default: {
      const dot = gate.lastIndexOf(".");
      const figure = gate.slice(dot + 1).replace("Ms", "") as keyof LatencyMs;
      const target = gate.slice(0, dot);
      const record = recordOn(final, target);
      return timed(record) ? record.inferenceMs[figure] : null;
    }
  }
};

const difference = (reference: Variant, variant: Variant, figure: "map" | "map50"): number | null =>
  reference.accuracy && variant.accuracy ? reference.accuracy[figure] - variant.accuracy[figure] : null;

const worst = (values: readonly (number | null)[]): number | null => (values.length === 0 || values.includes(null) ? null : largest((values as number[])));
