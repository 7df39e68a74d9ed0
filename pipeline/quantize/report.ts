import { points } from "../../report/figures.ts";
import type { Choice, QuantizeReport } from "../result.ts";
import type { HeadArithmetic } from "./arithmetic.ts";
import { leastAgreement, leastSignal } from "./metric.ts";
import type { QuantizationScheme } from "./qat.ts";
import type { FileOutcome } from "./quantize.ts";
import { sessionFor, type Job, type Metric } from "./search.ts";
import { largest } from "../../input/largest.ts";

/** What was done and measured, for run.json and `--json`. */
export const reportOf = (job: Job, outcomes: ReadonlyMap<QuantizationScheme, FileOutcome>): QuantizeReport => {
  const { ranges, statistics, sensitivity, options, metric } = job;
  const values = [...outcomes].map(([scheme, { value }]) => [scheme, value] as const);
  const [measured] = sensitivity.values();
  const floatNodes = new Map([...outcomes.values()].flatMap(({ floatSet }) => [...floatSet].map(([{ name }, reason]) => [name, reason] as const)));
  const warnings = [...outcomes].flatMap(([scheme, { value }]) => warningOf(scheme, metric, value));
  return {
    scheme: options.scheme,
    method: ranges.method,
    images: statistics.pictures,
    floatNodes: [...floatNodes].map(([node, reason]) => ({ node, reason })),
    quantizedNodes: largest([...outcomes.values()].map(({ emitted }) => emitted.layers.length)),
    ...(measured && { sensitivity: measured }),
    ...(metric.kind === "mAP" && { mapFloat: metric.float, mapInt8: Object.fromEntries(values), drop: largest(values.map(([, map]) => metric.float - map)), choices: [...outcomes].map(choiceOf) }),
    ...(metric.kind === "agreement" && { agreement: Object.fromEntries(values) }),
    sqnr: Object.fromEntries([...outcomes].map(([scheme, { heads }]) => [scheme, worstOf(heads)])),
    sessionSettings: Object.fromEntries([...outcomes.keys()].map((scheme) => [scheme, { ...sessionFor(scheme, options).extra }])),
    notes: [...outcomes.values()].flatMap(({ notes }) => notes),
    ...(warnings.length > 0 && { warnings }),
  };
};

/** How the float layers of one file were chosen on the labelled pictures. */
const choiceOf = ([scheme, { candidates, floatSet, value, firstValue }]: readonly [QuantizationScheme, FileOutcome]): Choice =>
  ({ what: `float layers of int8.${scheme}`, candidates, chosen: `${floatSet.size} nodes`, map: value, plainMap: firstValue });

const worstOf = (heads: readonly HeadArithmetic[]): NonNullable<QuantizeReport["sqnr"]>[string] => {
  const worst = heads.reduce<HeadArithmetic | undefined>((least, head) => (least && least.kernels[0] <= head.kernels[0] ? least : head), undefined);
  return worst ? { head: worst.head, writtenDb: worst.written[0], kernelsDb: worst.kernels[0] } : null;
};

const nextStep = "give labels with --val (the right layers become float), other calibration pictures, or another --method";

const warningOf = (scheme: string, { kind }: Metric, value: number): string[] => {
  if (kind === "agreement" && value < leastAgreement) return [`the ${scheme} file finds other boxes than the float model: mAP ${points(value)} against the float model's own, below ${points(leastAgreement)}; ${nextStep}`];
  if (kind === "signal" && value < leastSignal) return [`the ${scheme} file's raw outputs are noisy: ${(100 * value).toFixed(0)} % of their variation is the float model's, below ${100 * leastSignal} %; ${nextStep}`];
  return [];
};
