import { UserError } from "../../graph/error.ts";
import { canonicalClass, openDataset, type Dataset, type DatasetItem, type DatasetSpec, type UnlabelledPolicy } from "../../vision/index.ts";
import { needBoxes } from "../open-data.ts";

export interface LabelledOptions {
  /** Only these classes of the dataset. */
  readonly only?: readonly string[];
  readonly skipInvalid?: boolean;
  /** What a picture without a label file is (YOLO, VOC); default background. */
  readonly unlabelled?: UnlabelledPolicy;
  /** Class names of YOLO labels by number, where the data set has none; `"model"` takes the model's. */
  readonly labelNames?: readonly string[] | "model";
  readonly onOpening?: (done: number, total: number) => void;
}

/**
 * A labelled set to measure a model on. Classes that the model does not know and that have no boxes are left out: they have no AP anyhow.
 * Throws the UserErrors of `openDataset`, UNLABELLED, NO_GROUND_TRUTH.
 */
export const openLabelled = async (data: DatasetSpec, modelClasses: readonly string[], options: LabelledOptions = {}): Promise<Dataset> => {
  const { only, skipInvalid = false, unlabelled: policy, labelNames, onOpening } = options;
  const dataset = await openDataset(data, {
    modelNames: modelClasses, skipInvalid, ...(labelNames && { labelNames: labelNames === "model" ? modelClasses : labelNames }),
    ...(only && { classes: only }), ...(policy && { unlabelled: policy === "teacher" ? "skip" : policy }), ...(onOpening && { onProgress: onOpening }),
  });
  if (dataset.items.some(({ boxes }) => boxes === null)) throw unlabelled(data.path);
  needBoxes(data.path, dataset, dataset.classes);
  return knownClasses(dataset, modelClasses);
};

const knownClasses = (dataset: Dataset, modelClasses: readonly string[]): Dataset => {
  const known = new Set(modelClasses.map(canonicalClass));
  const used = new Set(dataset.items.flatMap(({ boxes }) => (boxes ?? []).map(({ classIndex }) => classIndex)));
  const kept = dataset.classes.flatMap((name, index) => (used.has(index) || known.has(canonicalClass(name)) ? [index] : []));
  if (kept.length === dataset.classes.length) return dataset;
  const left = dataset.classes.filter((_, index) => !kept.includes(index));
  const items = dataset.items.map((item): DatasetItem => ({ ...item, boxes: item.boxes?.map((box) => ({ ...box, classIndex: kept.indexOf(box.classIndex) })) ?? null }));
  const note = `${left.map((name) => `"${name}"`).join(", ")}: without boxes and unknown to the model, left out`;
  return { ...dataset, classes: kept.map((index) => dataset.classes[index]!), categoryIds: kept.map((index) => dataset.categoryIds[index]!), items, notes: [...dataset.notes, note] };
};

const unlabelled = (path: string): UserError => new UserError("UNLABELLED", `The dataset ${path} has pictures without labels: mAP cannot be measured.`, "give a labelled dataset (COCO JSON, YOLO txt or VOC XML).");
