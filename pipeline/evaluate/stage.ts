import { basename, join } from "node:path";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { accuracyRecord } from "../accuracy.ts";
import { readJson, writeJson } from "../files.ts";
import { hashOf } from "../hash.ts";
import { lazyTask } from "../progress.ts";
import type { Accuracy } from "../result.ts";
import type { Stage, StageContext, VariantFile } from "../stage.ts";
import { variantPath } from "../variant-files.ts";
import { contractOf, modelOf } from "./model.ts";
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

/** The accuracy of a variant, measured once per file, settings and set of pictures. */
export const accuracyOf = async (context: StageContext, variant: VariantFile): Promise<Accuracy> => {
  const { plan, cacheFolder, reporter, signal, loaded: { config } } = context;
  const key = hashOf(variant.sha256, variant.session ?? null, plan.fingerprints.reported, plan.classes, contractOf(context, variant));
  const file = join(cacheFolder, "accuracy", `${key.slice(0, 24)}.json`);
  const known = (await readJson(file)) as Accuracy | undefined;
  if (known) return known;
  const model = await modelOf(context, variant);
  const task = lazyTask(reporter, `mAP of ${variant.name}`, "picture");
  try {
    const { accuracy, detections } = await evaluateDetector(model, plan.reported.items, plan.classes, {
      session: { ...variant.session, ...(config.threads !== undefined && { threads: config.threads }) }, onProgress: task.update, ...(signal && { signal }),
    }, variantPath(context.runFolder, variant.model));
    const pictures = detections.map(({ detections: found }, index) => ({ groundTruth: plan.reported.items[index]!.boxes ?? [], detections: found }));
    const record = { ...accuracyRecord(accuracy, plan.classes), standardError: mapStandardError(pictures, plan.classes.length) };
    await writeJson(file, record);
    reporter.line(`${variant.name}: mAP ${(100 * record.map).toFixed(1)}, mAP50 ${(100 * record.map50).toFixed(1)} (${basename(variant.model)})`);
    return record;
  } finally {
    task.end();
  }
};
