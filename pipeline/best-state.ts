import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readSealed, damageOf, sealOf, type Damage, type FileSeal } from "../files/seal.ts";
import type { Graph } from "../graph/graph.ts";
import { saveModel } from "../onnx/save.ts";
import { writeKept } from "./kept.ts";

/** The state of a training that did best on the validation set so far. */
export interface BestState {
  /** 0 is the start. */
  readonly epoch: number;
  /** COCO mAP (0..1). */
  readonly map: number;
  /** Path of the model. */
  readonly model: string;
}

interface BestRecord {
  readonly epoch: number;
  readonly map: number;
  readonly model: FileSeal;
}

/**
 * Keeps the best of a training's states in its folder; of equal ones the later. A training that is resumed goes on with what the folder holds:
 * the model is written before the record that names it, so that the record never names a model of another epoch.
 */
export class BestStateKeeper {
  readonly #folder: string;
  readonly #of: string;
  #best: BestState | undefined;

  private constructor(folder: string, of: string, best: BestState | undefined) {
    this.#folder = folder;
    this.#of = of;
    this.#best = best;
  }

  /** What the folder keeps for the training `of`, or the file of it that is not as it was written. */
  static async open(folder: string, of: string): Promise<BestStateKeeper | { readonly path: string; readonly damage: Damage }> {
    const record = join(folder, "best.json");
    const { content, damage } = await readSealed(record, of);
    if (damage === "is missing") return new BestStateKeeper(folder, of, undefined);
    if (damage !== undefined) return { path: record, damage };
    const { epoch, map, model } = content as BestRecord;
    const path = join(folder, model.path);
    const broken = await damageOf(folder, model);
    return broken === undefined ? new BestStateKeeper(folder, of, { epoch, map, model: path }) : { path, damage: broken };
  }

  get best(): BestState | undefined {
    return this.#best;
  }

  async offer(epoch: number, map: number, graph: () => Graph): Promise<void> {
    const before = this.#best;
    if (before && (map < before.map || epoch <= before.epoch)) return;
    const name = `best-${epoch}.onnx`;
    const model = join(this.#folder, name);
    await saveModel(graph(), model);
    await writeKept(join(this.#folder, "best.json"), this.#of, { epoch, map, model: await sealOf(this.#folder, name) } satisfies BestRecord);
    this.#best = { epoch, map, model };
    if (before) await rm(before.model, { force: true });
  }

  /** Removes what only an unfinished training needs. */
  async close(): Promise<void> {
    if (this.#best) await rm(this.#best.model, { force: true });
    await rm(join(this.#folder, "best.json"), { force: true });
  }
}
