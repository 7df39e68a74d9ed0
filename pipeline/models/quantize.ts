import { rename, rm, stat } from "node:fs/promises";
import { describeDetector, metadataKeys, writeContract, type DetectorModel } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { checkInputType } from "../../detection/feeds.ts";
import type { Graph } from "../../graph/graph.ts";
import { kindWord } from "../../input/reason.ts";
import { cannotWriteModel, checkModelPlace, saveModel } from "../../onnx/save.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { writeClassNames } from "../../students/metadata.ts";
import { serializePreprocess } from "../../vision/index.ts";
import type { QuantizeConfig } from "../config-schema.ts";
import { agreementWith } from "../quantize/agreement.ts";
import { calibrationFeeds, calibrationInputs, calibrationSplit, type CalibrationSplit } from "../quantize/calibration-data.ts";
import type { QuantizationScheme } from "../quantize/qat.ts";
import { quantizeModel, type Quantized, type QuantizeOptions } from "../quantize/quantize.ts";
import type { QuantizeReport } from "../result.ts";
import { openLabelled } from "./labelled.ts";
import { openPictureModel, type OpenOptions, type PictureModel } from "./open.ts";
import { sessionKey } from "./session.ts";

export interface QuantizeFileOptions extends OpenOptions {
  /** Calibration pictures: a folder, list or dataset. Labels are not read. */
  readonly data: string;
  /** How many of them; 256. */
  readonly images?: number;
  readonly method?: QuantizeConfig["method"];
  /** `cpu` and `tensorrt` write `out`; `both` writes `<out>.cpu.onnx` and `<out>.tensorrt.onnx`. Default cpu. */
  readonly scheme?: QuantizeConfig["scheme"];
  readonly keepFloat?: readonly string[];
  /** Labelled dataset: the float set grows until the drop of mAP is at most `maxDrop`. Without it int8 is held against the float model's own boxes. */
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
  /** What a user must hear: the file was written, and is not as good as it should be. */
  readonly warnings: readonly string[];
}

/**
 * Static int8 of a detector file, or with `preprocess` of any model that takes one picture. Each file is opened and compared before it gets its
 * name; a file that is not right is not left behind. Throws the UserErrors of `quantizeModel` and of opening model and pictures.
 */
export const quantizeFile = async (path: string, options: QuantizeFileOptions): Promise<QuantizedFiles> => {
  const { images = 256, scheme = "cpu" } = options;
  for (const file of outFiles(options.out, scheme)) await checkOut(file);
  const model = await openPictureModel(path, options, options.val === undefined);
  const inputs = calibrationInputs(path, model.graph);
  checkInputType(path, inputs, model.contract);
  const split = await calibrationSplit(options.data, images);
  const notes = [...model.notes, ...split.notes];
  const quantized = await quantizeModel(model.graph, {
    calibration: calibrationFeeds(split.calibrate, model.contract, inputs), scheme,
    ...(options.method && { method: options.method }), ...(options.keepFloat && { keepFloat: options.keepFloat }), ...(options.maxDrop !== undefined && { maxDrop: options.maxDrop }),
    ...(await judgeOf(model, split, options, notes)),
    ...(options.threads !== undefined && { threads: options.threads }), ...(options.signal && { signal: options.signal }),
    onProgress: ({ step, done, note }) => {
      if (note !== undefined) options.onNote?.(note);
      if (step === "calibrate") options.onProgress?.(done, split.calibrate.length);
    },
  });
  const files = await saveFiles(quantized, model, options.out, scheme, options.classes !== undefined);
  const { report } = quantized;
  return {
    files, quantizedNodes: report.quantizedNodes ?? 0, floatNodes: report.floatNodes ?? [],
    calibration: { method: report.method ?? "mse", images: report.images ?? 0 }, report, notes, warnings: report.warnings ?? [],
  };
};

/** Labels where there are, else the float model's own boxes, where its head is known and finds any. */
const judgeOf = async ({ detector }: PictureModel, split: CalibrationSplit, options: QuantizeFileOptions, notes: string[]): Promise<Pick<QuantizeOptions, "evaluate" | "agreement">> => {
  if (!detector) return {};
  if (options.val !== undefined) return { evaluate: await evaluator(detector, options.val, options, notes) };
  const agreement = await agreementWith(detector, split.judge, options.signal);
  notes.push(agreement
    ? `no labels: int8 was held against the float model's own boxes on ${split.judge.length} pictures${split.isShared ? ", the calibration pictures themselves" : " that did not calibrate"}`
    : "the float model finds nothing on the calibration pictures: int8 was only held against its raw outputs");
  return agreement ? { agreement } : {};
};

const evaluator = async (model: DetectorModel, data: string, { signal }: QuantizeFileOptions, notes: string[]): Promise<(graph: Graph, session: SessionOptions) => Promise<number>> => {
  const dataset = await openLabelled({ path: data }, model.classes);
  notes.push(...dataset.notes.map((note) => `${data}: ${note}`));
  return async (graph, session) => {
    const candidate = await describeDetector(graph, "the int8 model", { head: model.head, classes: model.classes, preprocess: model.contract });
    return (await evaluateDetector(candidate, dataset.items, dataset.classes, { session, ...(signal && { signal }) })).accuracy.map;
  };
};

const outFile = (out: string, scheme: string, name: string): string => (scheme === "both" ? `${out.replace(/\.onnx$/, "")}.${name}.onnx` : out);
const outFiles = (out: string, scheme: string): string[] => (scheme === "both" ? ["cpu", "tensorrt"] : [scheme]).map((name) => outFile(out, scheme, name));

/** The file is written beside its place and opened before it gets its name: a device or a pipe cannot take it. Throws UserError MODEL_WRITE. */
const checkOut = async (path: string): Promise<void> => {
  await checkModelPlace(path);
  const there = await stat(path).catch(() => undefined);
  if (there && !there.isFile()) throw cannotWriteModel(path, new Error(`it is ${kindWord(there)}, and what is written must be opened again`));
};

/** Written under another name first: what has the name that was asked for has been opened and compared. */
const saveFiles = async ({ files, report, checkFile }: Quantized, { contract, detector }: PictureModel, out: string, scheme: string, isNamed: boolean): Promise<string[]> => {
  const saved: { readonly from: string; readonly to: string }[] = [];
  try {
    for (const [name, graph] of Object.entries(files) as [QuantizationScheme, Graph | undefined][]) {
      if (!graph) continue;
      if (detector) writeContract(graph, contract, detector.head);
      else graph.metadata.set(metadataKeys.preprocess, serializePreprocess(contract));
      if (detector && isNamed) writeClassNames(graph, detector.classes);
      graph.metadata.set(sessionKey, JSON.stringify(report.sessionSettings?.[name] ?? {}));
      const to = outFile(out, scheme, name);
      const from = `${to}.unchecked`;
      saved.push({ from, to });
      await saveModel(graph, from, { valueInfo: false });
      await checkFile(name, from);
    }
    for (const { from, to } of saved) await rename(from, to).catch((cause: unknown) => { throw cannotWriteModel(to, cause); });
  } catch (error) {
    for (const { from } of saved) await rm(from, { force: true });
    throw error;
  }
  return saved.map(({ to }) => to);
};
