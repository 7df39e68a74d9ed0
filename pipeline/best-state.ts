import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Graph } from "../graph/graph.ts";
import { saveModel } from "../onnx/save.ts";
import { readJson, writeJson } from "./files.ts";

/** The state of a training that did best on the validation set so far. */
export interface BestState {
  /** 0 is the start. */
  readonly epoch: number;
  /** COCO mAP (0..1). */
  readonly map: number;
  /** Path of the model. */
  readonly model: string;
}

/**
 * Keeps the best of a training's states in its folder; of equal ones the later. A training that is resumed goes on with what the folder holds:
 * the model is written before the record that names it, so that the record never names a model of another epoch.
 */
export class BestStateKeeper {
  readonly #folder: string;
  #best: BestState | undefined;

  private constructor(folder: string, best: BestState | undefined) {
    this.#folder = folder;
    this.#best = best;
  }

  static async open(folder: string): Promise<BestStateKeeper> {
    const kept = (await readJson(join(folder, "best.json"))) as { readonly epoch: number; readonly map: number } | undefined;
    return new BestStateKeeper(folder, kept && { ...kept, model: modelFile(folder, kept.epoch) });
  }

  get best(): BestState | undefined {
    return this.#best;
  }

  async offer(epoch: number, map: number, graph: () => Graph): Promise<void> {
    const before = this.#best;
    if (before && (map < before.map || epoch <= before.epoch)) return;
    const model = modelFile(this.#folder, epoch);
    await saveModel(graph(), model);
    await writeJson(join(this.#folder, "best.json"), { epoch, map });
    this.#best = { epoch, map, model };
    if (before) await rm(before.model, { force: true });
  }

  /** Removes what only an unfinished training needs. */
  async close(): Promise<void> {
    if (this.#best) await rm(this.#best.model, { force: true });
  }
}

const modelFile = (folder: string, epoch: number): string => join(folder, `best-${epoch}.onnx`);
