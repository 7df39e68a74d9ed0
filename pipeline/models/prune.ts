import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { countMacs } from "../../graph/macs.ts";
import { describeDetector } from "../../detection/detector.ts";
import { checkModelPlace, saveModel } from "../../onnx/save.ts";
import { canonicalClass, openDataset } from "../../vision/index.ts";
import { pruneModel, type PruneOptions } from "../prune/prune.ts";
import type { Gradients } from "../prune/scores.ts";
import { needBoxes } from "../open-data.ts";
import type { PruneReport } from "../result.ts";
import { openForEditing } from "./editable.ts";
import { weightGradients } from "../taylor.ts";

export interface PruneFileOptions extends Pick<PruneOptions, "macs" | "parameters" | "criterion" | "allocation" | "round" | "exclude"> {
  readonly out: string;
  /** Input size [width, height] of a model whose input is dynamic; the pruned file has it fixed. */
  readonly size?: readonly [number, number];
  /** Also write the masked model: all channels kept, the removed ones unseen. */
  readonly saveMasked?: string;
  /** Labelled dataset for the Taylor criterion. */
  readonly data?: string;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PrunedFile {
  readonly macs: number;
  readonly parameters: number;
  readonly before: { readonly macs: number; readonly parameters: number };
  readonly groups: NonNullable<PruneReport["groups"]>;
  readonly blocked: NonNullable<PruneReport["blocked"]>;
  readonly note: string | null;
  /** What was assumed about the model and left out of the data, one line each. */
  readonly notes: readonly string[];
}

/**
 * Structured pruning of a model file without recovery. The criterion is taylor where there is data, else l2. Nothing is written unless the prepared model
 * computes what the file computes, and the pruned one what the masked one does. Throws the UserErrors of `openForEditing` and `pruneModel`.
 */
export const pruneFile = async (path: string, options: PruneFileOptions): Promise<PrunedFile> => {
  for (const place of [options.out, options.saveMasked]) if (place !== undefined) await checkModelPlace(place);
  const { graph, notes: modelNotes } = await openForEditing(path, options.size);
  const notes = [...modelNotes];
  const { macs, parameters, allocation, round, exclude, data } = options;
  const criterion = options.criterion ?? (data === undefined ? "l2" : "taylor");
  const { graph: pruned, masked, report } = await pruneModel(graph, {
    criterion, label: path, ...(macs !== undefined && { macs }), ...(parameters !== undefined && { parameters }), ...(allocation && { allocation }),
    ...(round !== undefined && { round }), ...(exclude && { exclude }),
    ...(data !== undefined && { gradients: (current: Graph, visit: Visit) => gradientsOn(current, visit, path, data, options, notes) }),
  });
  await saveModel(pruned, options.out);
  if (options.saveMasked !== undefined) await saveModel(masked!, options.saveMasked);
  const after = countMacs(pruned);
  const before = countMacs(graph);
  return {
    macs: after.macs, parameters: after.parameters, before: { macs: before.macs, parameters: before.parameters },
    groups: report.groups ?? [], blocked: report.blocked ?? [], note: report.note ?? null, notes,
  };
};

type Visit = Parameters<Gradients>[1];

/** Pictures that gradients are taken on. */
const mostPictures = 64;

/** Gradients of the detection loss on the first 64 labelled pictures, one at a time: exported models have a batch of 1. */
const gradientsOn = async (graph: Graph, visit: Visit, path: string, data: string, options: PruneFileOptions, notes: string[]): Promise<void> => {
  const model = await describeDetector(graph, path);
  const { family } = model.head;
  if (family !== "yolov8" && family !== "yolox") throw noLoss(path, family);
  const dataset = await openDataset({ path: data, split: "train" }, { modelNames: model.classes });
  const index = new Map(model.classes.map((name, at) => [canonicalClass(name), at]));
  const left = dataset.classes.filter((name) => !index.has(canonicalClass(name)));
  notes.push(...dataset.notes, ...(left.length > 0 ? [`the model does not know ${left.map((name) => `"${name}"`).join(", ")}: their boxes are left out`] : []),
    ...(dataset.items.length > mostPictures ? [`gradients are taken on the first ${mostPictures} of ${dataset.items.length} pictures`] : []));
  const items = dataset.items.slice(0, mostPictures).map(({ path: file, boxes }) => ({
    path: file,
    boxes: boxes?.flatMap((box) => {
      const own = index.get(canonicalClass(dataset.classes[box.classIndex] ?? ""));
      return own === undefined ? [] : [{ ...box, classIndex: own }];
    }) ?? null,
  }));
  needBoxes(data, { items }, model.classes);
  await weightGradients(graph, visit, {
    family, temperature: 1, alpha: 0, count: items.length, signal: options.signal, ...(options.onProgress && { onProgress: options.onProgress }),
    batches: { items, contract: model.contract, classCount: model.classes.length, batch: 1, seed: options.seed ?? 0, plan: { epochs: 1, count: 0 }, augment: null, assignment: "atss", teacher: null },
  });
};

const noLoss = (path: string, family: string): UserError =>
  new UserError("NOT_TRAINABLE", `${path} has a ${family} head, for which there is no training loss.`, "choose --criterion l2 or l1.");
