import { basename, join } from "node:path";
import { evaluateDetector, foundNothing } from "../../detection/evaluate.ts";
import { points } from "../../report/figures.ts";
import { accuracyRecord } from "../accuracy.ts";
import { hashOf } from "../hash.ts";
import { readKept, writeKept } from "../kept.ts";
import { lazyTask } from "../progress.ts";
import type { Accuracy } from "../result.ts";
import type { Stage, StageContext, VariantFile } from "../stage.ts";
import { variantPath } from "../variant-files.ts";
import { modelOf, readingOf } from "./model.ts";
import { drawSamples } from "./samples.ts";
import { mapStandardError } from "./standard-error.ts";

/** mAP of every variant on the reported pictures (data.test, else data.val), and a few pictures with boxes. */
export const evaluateStage: Stage<"evaluate"> = {
  name: "evaluate",
  identity: ({ loaded: { config }, plan }) => ({ reported: plan.fingerprints.reported, classes: plan.classes, pictures: config.report.pictures }),
  run: async (context) => {
    for (const variant of context.variants) await accuracyOf(context, variant);
    const report = { images: context.plan.reported.items.length, samples: await drawSamples(context) };
    return { variants: [], report, files: context.variants.map((variant) => accuracyFile(context, variant).file) };
  },
};

/** Grows where the same detections would get other figures: what was measured before is measured again. */
const metricVersion = 2;

/** Where a variant's accuracy is kept: by its file, settings and set of pictures. */
const accuracyFile = (context: StageContext, variant: VariantFile): { readonly key: string; readonly file: string } => {
  const { plan, cacheFolder } = context;
  const key = hashOf(metricVersion, variant.sha256, variant.session ?? null, plan.fingerprints.reported, plan.classes, readingOf(context, variant));
  return { key, file: join(cacheFolder, "accuracy", `${key.slice(0, 24)}.json`) };
};

/** The accuracy of a variant, measured once per file, settings and set of pictures. */
export const accuracyOf = async (context: StageContext, variant: VariantFile): Promise<Accuracy> => {
  const { plan, reporter, signal, loaded: { config } } = context;
  const { key, file } = accuracyFile(context, variant);
  const known = (await readKept(file, `accuracy ${key}`, `the accuracy of ${variant.name} is measured again`, reporter)) as Accuracy | undefined;
  if (known) return known;
  const model = await modelOf(context, variant);
  const task = lazyTask(reporter, `mAP of ${variant.name}`, "picture");
  try {
    const evaluation = await evaluateDetector(model, plan.reported.items, plan.classes, {
      session: { ...variant.session, ...(config.threads !== undefined && { threads: config.threads }) }, onProgress: task.update, ...(signal && { signal }),
    }, variantPath(context.runFolder, variant.model));
    const pictures = evaluation.detections.map(({ detections: found }, index) => ({ groundTruth: plan.reported.items[index]!.boxes ?? [], detections: found }));
    const record = { ...accuracyRecord(evaluation.accuracy, plan.classes), standardError: mapStandardError(pictures, plan.classes.length) };
    if (foundNothing(evaluation)) reporter.warn(`${variant.name} FOUND NOTHING, of any class and score, on ${evaluation.detections.length} pictures: the model is dead, or its head or preprocessing is misread`);
    await writeKept(file, `accuracy ${key}`, record);
    reporter.line(`${variant.name}: mAP ${points(record.map)}, mAP50 ${points(record.map50)} (${basename(variant.model)})`);
    return record;
  } finally {
    task.end();
  }
};
