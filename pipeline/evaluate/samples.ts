import { join } from "node:path";
import { runDetector } from "../../detection/detector.ts";
import { classMapping } from "../../detection/evaluate.ts";
import { decodeImage, detect, drawBoxes, encodeJpeg, fit, predictionOptions, type DatasetItem } from "../../vision/index.ts";
import { writeFileSafely } from "../files.ts";
import type { EvaluateReport, SamplePicture } from "../result.ts";
import type { StageContext, VariantFile } from "../stage.ts";
import { inRun, variantPath } from "../variant-files.ts";
import { modelOf } from "./model.ts";

type Sample = NonNullable<EvaluateReport["samples"]>[number];

/** The same validation pictures with the boxes of the teacher, the last float student and int8, as JPEG files of the run. */
export const drawSamples = async (context: StageContext): Promise<readonly Sample[]> => {
  const items = chosenPictures(context.plan.reported.items, context.loaded.config.report.pictures);
  const pictures = new Map<DatasetItem, SamplePicture[]>(items.map((item) => [item, []]));
  for (const variant of shownVariants(context.variants)) {
    for (const [index, item] of items.entries()) {
      const path = join(context.folder, `${index}-${variant.name}.jpg`);
      pictures.get(item)!.push({ variant: variant.name, path: inRun(context.runFolder, path) });
    }
    await drawWith(context, variant, items);
  }
  return items.map((item) => ({ image: item.id, pictures: pictures.get(item)! }));
};

/** Evenly spread over those that show something. */
const chosenPictures = (items: readonly DatasetItem[], count: number): DatasetItem[] => {
  const labelled = items.filter(({ boxes }) => (boxes?.length ?? 0) > 0);
  const wanted = Math.min(count, labelled.length);
  return Array.from({ length: wanted }, (_, i) => labelled[Math.floor((i * labelled.length) / wanted)]!);
};

const shownVariants = (variants: readonly VariantFile[]): VariantFile[] => {
  const float = variants.findLast(({ stage }) => stage !== "int8" && stage !== "teacher");
  return variants.filter((variant) => variant.stage === "teacher" || variant === float || variant.stage === "int8");
};

const drawWith = async (context: StageContext, variant: VariantFile, items: readonly DatasetItem[]): Promise<void> => {
  const model = await modelOf(context, variant);
  const { classes } = context.plan;
  const mapping = classMapping(model.classes, classes);
  const running = await runDetector(model, variant.session, variantPath(context.runFolder, variant.model));
  try {
    for (const [index, item] of items.entries()) {
      const image = await decodeImage(item.path);
      const found = detect(model.head, await running.run([image]), 0, fit(model.contract, image.width, image.height), predictionOptions)
        .flatMap((detection) => (mapping[detection.classIndex]! < 0 ? [] : [{ ...detection, classIndex: mapping[detection.classIndex]! }]));
      await writeFileSafely(join(context.folder, `${index}-${variant.name}.jpg`), await encodeJpeg(drawBoxes(image, found, { classes }), 82));
    }
  } finally {
    await running.close();
  }
};
