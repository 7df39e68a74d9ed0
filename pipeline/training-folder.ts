import { largest } from "../input/largest.ts";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readSealed, sealOf, type Damage, type FileSeal } from "../files/seal.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { inferShapes } from "../graph/shapes.ts";
import { loadModel } from "../onnx/load.ts";
import { saveModel } from "../onnx/save.ts";
import { checkpointEpochs } from "../training/checkpoint.ts";
import { BestStateKeeper } from "./best-state.ts";
import { dropDamaged, readKept, warnDamaged, writeKept } from "./kept.ts";
import { lockName } from "./lock.ts";
import type { Reporter } from "./progress.ts";
import type { TrainingPoint } from "./result.ts";

/** What a training must have kept at which epoch, for the check of a folder. */
export interface TrainingSchedule {
  /** Whether the start is measured. */
  readonly measuresStart: boolean;
  /** Whether the accuracy is measured after an epoch (from 1). */
  readonly isDue: (epoch: number) => boolean;
}

/** The state of an unfinished training. */
export interface TrainingProgress {
  /** By epoch; 0 is the start. */
  readonly measured: Map<number, TrainingPoint>;
  readonly keeper: BestStateKeeper;
}

interface Broken {
  readonly path: string;
  readonly damage: Damage;
}

/** The folder that a training keeps its files in, and its result when it has ended. `key` is all that the training depends on. */
export class TrainingFolder {
  readonly path: string;
  readonly #of: string;
  readonly #again: string;
  readonly #reporter: Reporter;

  constructor(path: string, key: string, name: string, reporter: Reporter) {
    this.path = path;
    this.#of = `training ${key}`;
    this.#again = `${name} is trained again`;
    this.#reporter = reporter;
  }

  get checkpoint(): string { return join(this.path, "checkpoint"); }
  get #model(): string { return join(this.path, "model.onnx"); }
  get #curve(): string { return join(this.path, "curve.json"); }
  get #done(): string { return join(this.path, "done.json"); }

  /** The result of a training that has ended and is whole. */
  async finished(): Promise<{ readonly graph: Graph; readonly curve: readonly TrainingPoint[] } | undefined> {
    const done = (await readKept(this.#done, this.#of, this.#again, this.#reporter)) as { readonly files: readonly FileSeal[] } | undefined;
    const entries = await readdir(this.path).catch((): string[] => []);
    if (!done) {
      if (!entries.includes("model.onnx") || entries.includes("checkpoint")) return undefined; // not ended, or stopped while the result was written
      warnDamaged(this.#reporter, this.#done, "is missing", this.#again);
      return this.clear();
    }
    if ((await dropDamaged(this.path, done.files, this.#again, this.#reporter)).length > 0) return this.clear();
    const { content } = await readSealed(this.#curve, this.#of);
    return { graph: await loadTrained(this.#model), curve: (content as CurveRecord).points };
  }

  /** What an unfinished training has kept; where some of it is damaged or gone, nothing: it begins again. */
  async progress(schedule: TrainingSchedule): Promise<TrainingProgress> {
    const kept = await this.#keptProgress(schedule);
    if (!("path" in kept)) return kept;
    warnDamaged(this.#reporter, kept.path, kept.damage, `${this.#again} from its start`);
    await this.clear();
    return (await this.#keptProgress(schedule)) as TrainingProgress;
  }

  async #keptProgress({ measuresStart, isDue }: TrainingSchedule): Promise<TrainingProgress | Broken> {
    const { content, damage } = await readSealed(this.#curve, this.#of);
    if (damage !== undefined && damage !== "is missing") return { path: this.#curve, damage };
    const measured = new Map((content as CurveRecord | undefined)?.points.map((point) => [point.epoch, point]));
    const keeper = await BestStateKeeper.open(this.path, this.#of);
    if (!(keeper instanceof BestStateKeeper)) return keeper;
    const epochs = await checkpointEpochs(this.checkpoint).catch((error: unknown) => {
      if (error instanceof UserError) return "damaged" as const;
      throw error;
    });
    if (epochs === "damaged") return { path: this.checkpoint, damage: "is not what was written" };
    return findGap({ measured, best: keeper.best?.epoch, epochs, measuresStart, isDue }, this.#paths) ?? { measured, keeper };
  }

  get #paths() {
    return { checkpoint: this.checkpoint, curve: this.#curve, best: join(this.path, "best.json") };
  }

  async writeCurve(points: readonly TrainingPoint[]): Promise<void> {
    await writeKept(this.#curve, this.#of, { points } satisfies CurveRecord);
  }

  /** Keeps the result and removes what only an unfinished training needs; returns the model as it will be read back. */
  async finish(graph: Graph, curve: readonly TrainingPoint[], keeper: BestStateKeeper): Promise<Graph> {
    await saveModel(graph, this.#model);
    await this.writeCurve(curve);
    await writeKept(this.#done, this.#of, { files: await Promise.all(["model.onnx", "curve.json"].map((name) => sealOf(this.path, name))) });
    await Promise.all([rm(this.checkpoint, { force: true }), keeper.close()]);
    return loadTrained(this.#model);
  }

  /** Empties the folder but for its lock. */
  async clear(): Promise<undefined> {
    await mkdir(this.path, { recursive: true });
    for (const name of await readdir(this.path)) if (name !== lockName) await rm(join(this.path, name), { recursive: true, force: true });
  }
}

interface CurveRecord {
  readonly points: readonly TrainingPoint[];
}

interface Found extends TrainingSchedule {
  readonly measured: ReadonlyMap<number, TrainingPoint>;
  readonly best: number | undefined;
  /** Epochs that the checkpoint has behind it; undefined where there is none. */
  readonly epochs: number | undefined;
}

/**
 * A file that must be there and is not. An epoch's best state is written first, then its point, then the checkpoint: each may be one epoch
 * ahead of the next where the process was killed in between.
 */
const findGap = ({ measured, best, epochs, measuresStart, isDue }: Found, paths: { readonly checkpoint: string; readonly curve: string; readonly best: string }): Broken | undefined => {
  const known = [...measured.keys()];
  const last = Math.max(0, largest(known));
  if (last > (epochs ?? 0) + (epochs === undefined ? 0 : 1)) return { path: paths.checkpoint, damage: "is missing" };
  const expected = epochs === undefined ? [] : Array.from({ length: epochs + 1 }, (_, epoch) => epoch).filter((epoch) => epoch > 0 || measuresStart);
  const lacks = expected.some((epoch) => !measured.has(epoch) || ((epoch === 0 || isDue(epoch)) && typeof measured.get(epoch)!.map !== "number"));
  if (lacks || (best !== undefined && best > last + 1)) return { path: paths.curve, damage: known.length === 0 ? "is missing" : "is not what was written" };
  const isMeasured = [...measured.values()].some(({ map }) => typeof map === "number");
  return isMeasured && best === undefined ? { path: paths.best, damage: "is missing" } : undefined;
};

/** A model of a training, shapes inferred. */
export const loadTrained = async (path: string): Promise<Graph> => {
  const { graph } = await loadModel(path);
  inferShapes(graph);
  return graph;
};
