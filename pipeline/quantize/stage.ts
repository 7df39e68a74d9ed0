import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describeDetector } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { QuantizeConfig } from "../config-schema.ts";
import { writeKept } from "../kept.ts";
import { lazyTask } from "../progress.ts";
import type { QuantizeReport } from "../result.ts";
import type { Stage, StageContext, VariantFile } from "../stage.ts";
import type { TrainingResult } from "../trainer.ts";
import { loadVariant, saveVariant, variantPath } from "../variant-files.ts";
import { calibrationFeeds, spread } from "./calibration-data.ts";
import type { QuantizationScheme } from "./qat.ts";
import { rangesToJson } from "./ranges.ts";
import { quantizeModel, type Quantized } from "./quantize.ts";
import { defaultActivations } from "./emitter.ts";
import { exactCpuSession, int8TensorrtSession } from "./sessions.ts";

/** Static int8 of the last float variant: a file for each runtime asked for. */
export const quantizeStage: Stage<"quantize"> = {
  name: "quantize",
  identity: ({ loaded: { config }, plan, trainer }) => config.quantize && {
    quantize: config.quantize, calibration: plan.calibration?.fingerprint ?? null, ...(config.quantize.qat.epochs > 0 && { trainer: trainer.identity }),
  },
  run: async (context) => {
    const options = context.loaded.config.quantize!;
    const source = context.variants.findLast(({ stage }) => stage !== "teacher" && stage !== "int8");
    if (!source) throw new UserError("NOTHING_TO_QUANTIZE", "There is no student to quantize.", "give a student and let distill run first.");
    const graph = await loadVariant(context.runFolder, source);
    const trained: TrainingResult[] = [];
    const calibration = pictures(context, options.images);
    const calibrate = lazyTask(context.reporter, `calibrating on ${calibration.length} pictures`, "picture");
    try {
      const quantized = await quantizeModel(graph, {
        calibration: calibrationFeeds(calibration, context.plan.student.contract, graph.inputs[0]!.name),
        method: options.method, scheme: options.scheme, keepFloat: options.keepFloat, maxDrop: options.maxDrop,
        evaluate: (candidate, session) => mapOf(context, candidate, session),
        ...(options.qat.epochs > 0 && { train: (fakeQuantized: Graph) => trainQuantized(context, options.qat, fakeQuantized, trained) }),
        ...(context.loaded.config.threads !== undefined && { threads: context.loaded.config.threads }), ...(context.signal && { signal: context.signal }),
        onProgress: ({ step, done, total, note }) => {
          if (note !== undefined) context.reporter.line(note);
          if (step === "calibrate") calibrate.update(done, calibration.length);
          if (step === "sensitivity" && (done === 1 || done === total)) context.reporter.line(`sensitivity of layers: ${done}/${total ?? "?"}`);
        },
      });
      for (const warning of quantized.report.warnings ?? []) context.reporter.warn(warning);
      await writeKept(join(context.folder, "ranges.json"), "ranges", rangesToJson(quantized.ranges));
      return { variants: await saveFiles(context, source, quantized), report: withTraining(quantized.report, trained) };
    } finally {
      calibrate.end();
    }
  },
};

/** Quantization-aware training: the distillation again, shorter, with int8 rounding in the graph. */
const trainQuantized = async ({ trainer }: StageContext, { epochs, learningRate }: QuantizeConfig["qat"], graph: Graph, kept: TrainingResult[]): Promise<Graph> => {
  const trained = await trainer.train({ name: "qat", graph, epochs, learningRate, warmupEpochs: Math.min(1, epochs / 4), teacher: true, session: int8TensorrtSession });
  kept.push(trained);
  return trained.graph;
};

/** The training's curve, and its state among what was chosen. */
const withTraining = (report: QuantizeReport, trained: readonly TrainingResult[]): QuantizeReport =>
  trained.length === 0 ? report : { ...report, qat: trained.flatMap(({ curve }) => curve), choices: [...trained.map(({ choice }) => choice), ...(report.choices ?? [])] };

/** The pictures that ranges are measured on: data.calibration, else the training set. */
const pictures = ({ plan }: StageContext, count: number): readonly string[] => plan.calibration?.paths ?? spread(plan.train.items.map(({ path }) => path), count);

const mapOf = async ({ plan, signal, reporter }: StageContext, graph: Graph, session: SessionOptions): Promise<number> => {
  const model = await describeDetector(graph, "the int8 model", { family: plan.student.family, classes: plan.classes, preprocess: plan.student.contract, probe: false });
  const task = lazyTask(reporter, "mAP of int8", "picture");
  try {
    return (await evaluateDetector(model, plan.val.items, plan.classes, { session, onProgress: task.update, ...(signal && { signal }) })).accuracy.map;
  } finally {
    task.end();
  }
};

/** One file keeps the plain name `int8`; two are named by their runtime. */
const saveFiles = async (context: StageContext, parent: VariantFile, { files, checkFile }: Quantized): Promise<VariantFile[]> => {
  const both = files.cpu !== undefined && files.tensorrt !== undefined;
  const saved: VariantFile[] = [];
  for (const [scheme, graph] of Object.entries(files) as [QuantizationScheme, Graph | undefined][]) {
    if (!graph) continue;
    const variant = await saveVariant(context, {
      name: both ? `int8.${scheme}` : "int8", stage: "int8", parent, graph, precision: "int8",
      session: scheme === "cpu" ? exactCpuSession(defaultActivations) : int8TensorrtSession,
      runtime: scheme,
    });
    const path = variantPath(context.runFolder, variant.model);
    await checkFile(scheme, path).catch(async (error: unknown) => { await rm(path, { force: true }); throw error; });
    saved.push(variant);
  }
  return saved;
};
