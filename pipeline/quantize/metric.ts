import { smallest } from "../../input/largest.ts";
import { points } from "../../report/figures.ts";
import type { Graph } from "../../graph/graph.ts";
import { serializeModel } from "../../onnx/save.ts";
import type { HeadArithmetic } from "./arithmetic.ts";
import { measureHeads } from "./arithmetic.ts";
import type { Statistics } from "./calibrate.ts";
import type { QuantizeOptions } from "./quantize.ts";
import type { Metric } from "./search.ts";

/** mAP against the float model's own boxes that a file without labels must reach; measured in docs/quantization.md. */
export const leastAgreement = 0.8;
/** Part of the variation of the worst head's raw output (1 - noise / signal) where boxes are not known. */
export const leastSignal = 0.9;

/** What a file is judged by: labels, else the float model's own boxes, else the raw outputs of the heads. */
export const metricOf = async (prepared: Graph, statistics: Statistics, options: QuantizeOptions): Promise<Metric> => {
  const { evaluate, agreement } = options;
  if (evaluate) return { kind: "mAP", float: await evaluate(prepared, {}), maxDrop: options.maxDrop ?? 0.005, of: evaluate };
  if (agreement) return { kind: "agreement", float: 1, maxDrop: 1 - leastAgreement, of: agreement };
  return {
    kind: "signal", float: 1, maxDrop: 1 - leastSignal,
    of: async (graph, { extra, threads }) => signalOf(await measureHeads(serializeModel(graph, { valueInfo: false }), prepared, statistics.examples, { threads, settings: [extra ?? {}] })),
  };
};

/** Heads that hardly vary have no signal to keep. */
const varying = (heads: readonly HeadArithmetic[]): readonly HeadArithmetic[] => heads.filter(({ varies }) => varies > 1e-3);

const signalOf = (heads: readonly HeadArithmetic[]): number => Math.max(0, Math.min(1, smallest(varying(heads).map(({ kernels: [db] }) => 1 - 10 ** (-db / 10)))));

/** Why a file is of no use at all; undefined where it is of some. */
export const deadReason = ({ kind, float }: Metric, { value, heads }: { readonly value: number; readonly heads: readonly HeadArithmetic[] }): string | undefined => {
  if (kind === "agreement" && value === 0) return "on the calibration pictures none of the float model's boxes is found";
  if (kind === "mAP" && value === 0 && float > 0.01) return `its mAP is 0, the float model's ${points(float)}`;
  const alive = varying(heads);
  return alive.length > 0 && alive.every(({ kernels: [db] }) => db <= 0) ? "the raw outputs of all its heads have nothing in common with the float model's" : undefined;
};
