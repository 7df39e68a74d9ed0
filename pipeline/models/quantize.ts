import { describeDetector, writeContract, type DetectorModel } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import type { Graph } from "../../graph/graph.ts";
import { saveModel } from "../../onnx/save.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { writeClassNames } from "../../students/metadata.ts";
import type { QuantizeConfig } from "../config-schema.ts";
import { calibrationFeeds, calibrationPaths } from "../quantize/calibration-data.ts";
import { quantizeModel, type Quantized } from "../quantize/quantize.ts";
import type { QuantizeReport } from "../result.ts";
import { openLabelled } from "./labelled.ts";
import { openDetectorFile, type OpenOptions } from "./open.ts";
import { sessionKey } from "./session.ts";

export interface QuantizeFileOptions extends OpenOptions {
  /** Calibration pictures: a folder, list or dataset. */
  readonly data: string;
  /** How many of them; 256. */
  readonly images?: number;
  readonly method?: QuantizeConfig["method"];
  /** `cpu` and `tensorrt` write `out`; `both` writes `<out>.cpu.onnx` and `<out>.tensorrt.onnx`. Default cpu. */
  readonly scheme?: QuantizeConfig["scheme"];
  readonly keepFloat?: readonly string[];
  /** Labelled dataset: the float set grows until the drop of mAP is at most `maxDrop`. */
  readonly val?: string;
  readonly maxDrop?: number;
  readonly threads?: number;
  readonly out: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly onNote?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface QuantizedFiles {
  readonly files: readonly string[];
  readonly quantizedNodes: number;
  readonly floatNodes: NonNullable<QuantizeReport["floatNodes"]>;
  readonly calibration: { readonly method: string; readonly images: number };
  readonly report: QuantizeReport;
  readonly notes: readonly string[];
}

/** Static int8 of a detector file. Throws the UserErrors of `quantizeModel` and of opening model and pictures. */
export const quantizeFile = async (path: string, options: QuantizeFileOptions): Promise<QuantizedFiles> => {
  const model = await openDetectorFile(path, options);
  const { images = 256, scheme = "cpu" } = options;
  const paths = await calibrationPaths(options.data, images);
  const quantized = await quantizeModel(model.graph, {
    calibration: calibrationFeeds(paths, model.contract, model.graph.inputs[0]!.name), scheme,
    ...(options.method && { method: options.method }), ...(options.keepFloat && { keepFloat: options.keepFloat }), ...(options.maxDrop !== undefined && { maxDrop: options.maxDrop }),
    ...(options.val !== undefined && { evaluate: await evaluator(model, options.val, options) }),
    ...(options.threads !== undefined && { threads: options.threads }), ...(options.signal && { signal: options.signal }),
    onProgress: ({ step, done, note }) => {
      if (note !== undefined) options.onNote?.(note);
      if (step === "calibrate") options.onProgress?.(done, paths.length);
    },
  });
  const files = await saveFiles(quantized, model, options.out, scheme, options.classes !== undefined);
  const { report } = quantized;
  return {
    files, quantizedNodes: report.quantizedNodes ?? 0, floatNodes: report.floatNodes ?? [],
    calibration: { method: report.method ?? "mse", images: report.images ?? 0 }, report, notes: model.notes,
  };
};

const evaluator = async (model: DetectorModel, data: string, { signal, onNote }: QuantizeFileOptions): Promise<(graph: Graph, session: SessionOptions) => Promise<number>> => {
  const dataset = await openLabelled({ path: data }, model.classes);
  for (const note of dataset.notes) onNote?.(`${data}: ${note}`);
  return async (graph, session) => {
    const candidate = await describeDetector(graph, "the int8 model", { head: model.head, classes: model.classes, preprocess: model.contract });
    return (await evaluateDetector(candidate, dataset.items, dataset.classes, { session, ...(signal && { signal }) })).accuracy.map;
  };
};

const saveFiles = async ({ files, report }: Quantized, model: DetectorModel, out: string, scheme: string, isNamed: boolean): Promise<string[]> => {
  const saved: string[] = [];
  for (const [name, graph] of Object.entries(files) as [string, Graph | undefined][]) {
    if (!graph) continue;
    writeContract(graph, model.contract, model.head);
    if (isNamed) writeClassNames(graph, model.classes);
    graph.metadata.set(sessionKey, JSON.stringify(report.sessionSettings?.[name] ?? {}));
    const path = scheme === "both" ? `${out.replace(/\.onnx$/, "")}.${name}.onnx` : out;
    await saveModel(graph, path, { valueInfo: false });
    saved.push(path);
  }
  return saved;
};
