import { basename, join } from "node:path";
import { evaluateDetector, foundNothing } from "../../detection/evaluate.ts";
import { points } from "../../report/figures.ts";
import { accuracyRecord } from "../accuracy.ts";
import { readJson, writeJson } from "../files.ts";
import { hashOf } from "../hash.ts";
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
    return { variants: [], report: { images: context.plan.reported.items.length, samples: await drawSamples(context) } };
  },
};

/** Grows where the same detections would get other figures: what was measured before is measured again. */
const metricVersion = 2;

/** The accuracy of a variant, measured once per file, settings and set of pictures. */
export const accuracyOf = async (context: StageContext, variant: VariantFile): Promise<Accuracy> => {
  const { plan, cacheFolder, reporter, signal, loaded: { config } } = context;
  const key = hashOf(metricVersion, variant.sha256, variant.session ?? null, plan.fingerprints.reported, plan.classes, readingOf(context, variant));
  const file = join(cacheFolder, "accuracy", `${key.slice(0, 24)}.json`);
  const known = (await readJson(file)) as Accuracy | undefined;
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
    await writeJson(file, record);
    reporter.line(`${variant.name}: mAP ${points(record.map)}, mAP50 ${points(record.map50)} (${basename(variant.model)})`);
    return record;
  } finally {
    task.end();
  }
};
