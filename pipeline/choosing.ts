import { probit } from "simple-statistics";
import { stageReport, type Choice, type Choosing, type RunResult } from "./result.ts";

/** All that was chosen by mAP on the validation set on the way to the last variant. The baseline is a comparison, not on the way. */
export const choicesOf = (result: RunResult): Choice[] => {
  const all = (["distill", "prune", "quantize"] as const).flatMap((stage) => stageReport(result, stage)?.choices ?? []);
  const hasDistilled = result.variants.some(({ name }) => name === "distilled");
  return all.filter(({ what }) => !hasDistilled || what !== "state of baseline");
};

/** Where a run's figures come from; undefined before its last variant is evaluated. */
export const choosingOf = (result: RunResult, measuredOn: Choosing["measuredOn"]): Choosing | undefined => {
  const accuracy = result.variants.at(-1)?.accuracy;
  if (!accuracy) return undefined;
  const candidates = choicesOf(result).reduce((sum, choice) => sum + choice.candidates, 0);
  const standardError = accuracy.standardError ?? null;
  const helpedAtMost = measuredOn === "test" ? 0 : standardError === null ? null : standardError * expectedMaximum(candidates);
  return { measuredOn, pictures: accuracy.images ?? 0, candidates, standardError, helpedAtMost };
};

/** Expected largest of `count` draws from the standard normal distribution (Blom 1958); 0 for one. */
export const expectedMaximum = (count: number): number => (count < 2 ? 0 : probit((count - 0.375) / (count + 0.25)));
