import { readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { anchorCount, anchorLevels } from "../detection/anchors.ts";
import { cutHead, neckFeatures, type CutHead, type TrainableFamily } from "../detection/canonical.ts";
import { recordBytes, type Section } from "../detection/teacher-cache.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { serializeModel } from "../onnx/save.ts";
import { bytes } from "../report/figures.ts";
import type { Config } from "./config-schema.ts";
import type { LoadedConfig } from "./config.ts";
import type { Plan } from "./plan.ts";
import type { Reporter } from "./progress.ts";
import type { StageName } from "./stage.ts";
import { largest } from "../input/largest.ts";

/** What the size of a run on disk depends on. */
export interface DiskFacts {
  readonly config: Pick<Config, "distill" | "prune" | "quantize" | "report" | "bundle">;
  readonly teachers: number;
  readonly pictures: number;
  readonly hasLabels: boolean;
  /** Sections of the teachers' cached outputs. */
  readonly sections: readonly Section[];
  readonly student: { readonly bytes: number; readonly hasBatchNorm: boolean; readonly isGiven: boolean };
  /** [width, height] of the network's input. */
  readonly size: readonly [number, number];
  /** Mean size of a validation picture's file. */
  readonly pictureBytes: number;
}

export interface DiskPart {
  readonly name: "teacher outputs" | "models" | "pictures of the report" | "bundle" | "checkpoints";
  /** The stage whose end says that the part is there; of the teachers' outputs the files are counted. */
  readonly stage: StageName | undefined;
  readonly bytes: number;
  /** Removed again when the training ends. */
  readonly isTemporary?: boolean;
}

/** ONNX nodes, tables of a stage, run.json and the report beside weights and pictures. */
const overhead = { run: 200_000, stage: 15_000, int8: 60_000 };
/** float32 vectors of a checkpoint: weights, two of AdamW, average; written anew beside the last one, with the best state so far. */
const checkpointCopies = 2 * 4 + 2;
/** The bundle's golden vectors: pictures with pixels and tensors, and at most so many bytes of outputs. */
const golden = { pictures: 16, outputBytes: 24 * 2 ** 20 };

const learnsFromTeacher = ({ config: { distill }, teachers }: DiskFacts): boolean => teachers > 0 && distill.alpha > 0;

/** What a whole run writes below the runs folder, part by part. Pruned files are taken as large as their share of the MACs, which is a little too much. */
export const estimateDisk = (facts: DiskFacts): DiskPart[] => {
  const { config: { distill, prune, quantize, report, bundle }, student, pictures, sections, pictureBytes, size: [width, height] } = facts;
  const taught = learnsFromTeacher(facts);
  const forms = student.hasBatchNorm ? 2 : 1; // with batch normalization each trained variant is kept for further training too
  const trained = distill.epochs === 0 ? 0 : (taught ? 1 : 0) + (!taught || (distill.baseline && facts.hasLabels) ? 1 : 0);
  const share = prune ? (prune.macs ?? prune.parameters ?? 1) : 1;
  const last = student.bytes * share;
  const recoveries = prune ? Array.from({ length: prune.steps }, (_, step) => (step === prune.steps - 1 ? (prune.recover.finalEpochs ?? prune.recover.epochs) : prune.recover.epochs)) : [];
  const recovered = recoveries.reduce((sum, epochs, step) => sum + (epochs > 0 ? student.bytes * (1 - (1 - share) * ((step + 1) / recoveries.length)) : 0), 0);
  const int8 = { cpu: last / 4 + overhead.int8, tensorrt: last + overhead.int8, both: 1.25 * last + 2 * overhead.int8 }[quantize?.scheme ?? "both"];
  const shown = (facts.teachers > 0 ? 1 : 0) + 1 + (quantize ? (quantize.scheme === "both" ? 2 : 1) : 0);
  const trains = trained > 0 || recovered > 0 || (quantize?.qat.epochs ?? 0) > 0;
  const asksTeacher = taught && (trains || prune?.criterion === "taylor");
  const bundled = last + int8 + golden.pictures * width * height * 3 * 5 + golden.outputBytes;
  const parts: DiskPart[] = [
    { name: "teacher outputs", stage: undefined, bytes: asksTeacher ? recordBytes(sections) * pictures * Math.max(1, distill.variants) : 0 },
    { name: "models", stage: "distill", bytes: trained * student.bytes * (1 + forms) + (student.isGiven ? student.bytes * forms : 0) + overhead.stage },
    { name: "models", stage: "prune", bytes: prune ? last * forms + recovered + overhead.stage : 0 },
    { name: "models", stage: "quantize", bytes: quantize ? int8 + (quantize.qat.epochs > 0 ? last : 0) + overhead.stage + overhead.int8 : 0 },
    { name: "pictures of the report", stage: "evaluate", bytes: report.pictures * shown * pictureBytes * (1 + 4 / 3) + overhead.run }, // files, and base64 in report.html
    { name: "bundle", stage: "bundle", bytes: bundle ? bundled * (bundle.archive ? 2 : 1) : 0 },
    { name: "checkpoints", stage: undefined, isTemporary: true, bytes: trains ? checkpointCopies * student.bytes : 0 },
  ];
  return parts.filter((part) => part.bytes > 0);
};

export interface DiskState {
  /** Stages of this run that are finished. */
  readonly finished: ReadonlySet<string>;
  /** Teacher outputs of this run's shape that the cache holds. */
  readonly teacherBytes: number;
}

/** What is still to be written. */
export const remainingDisk = (parts: readonly DiskPart[], { finished, teacherBytes }: DiskState): DiskPart[] => {
  const isTrained = !parts.some(({ name, stage }) => name === "models" && stage !== undefined && !finished.has(stage));
  return parts.flatMap((part): DiskPart[] => {
    if (part.stage !== undefined && finished.has(part.stage)) return [];
    if (part.name === "checkpoints") return isTrained ? [] : [part];
    if (part.name !== "teacher outputs") return [part];
    return isTrained || teacherBytes >= part.bytes ? [] : [{ ...part, bytes: part.bytes - teacherBytes }];
  });
};

/** "1.4 GB (teacher outputs 1.2 GB, models 180 MB)": at least a fiftieth is named. */
export const diskText = (parts: readonly DiskPart[]): string => {
  const total = sumOf(parts);
  const names = [...new Set(parts.map(({ name }) => name))].map((name) => ({ name, size: sumOf(parts.filter((part) => part.name === name)) })).filter(({ size }) => size >= total / 50);
  return `${bytes(Math.round(total))}${names.length > 0 ? ` (${names.sort((a, b) => b.size - a.size).map(({ name, size }) => `${name} ${bytes(Math.round(size))}`).join(", ")})` : ""}`;
};

export const sumOf = (parts: readonly DiskPart[]): number => parts.reduce((sum, part) => sum + part.bytes, 0);

/** The facts of a plan, for `estimateDisk`. */
export const diskFacts = async ({ config }: LoadedConfig, plan: Plan): Promise<DiskFacts> => {
  const { student: { graph, contract, origin }, teachers, train, val } = plan;
  return {
    config, teachers: teachers.length, pictures: train.items.length, hasLabels: train.items.some(({ boxes }) => boxes !== null), size: contract.size, sections: sectionsOf(config, plan),
    student: { bytes: serializeModel(graph).byteLength, hasBatchNorm: [...graph.nodes].some(({ opType }) => opType === "BatchNormalization"), isGiven: origin !== "fresh" },
    pictureBytes: await meanBytes(val.items.slice(0, 20).map(({ path }) => path)),
  };
};

/** As `cacheTeachers` will keep them: box distributions where both heads have them, features where they are wanted. */
const sectionsOf = ({ distill }: Config, { student: { graph, contract, family }, classes, teachers: [teacher, ...others] }: Plan): Section[] => {
  const levels = anchorLevels(contract.size);
  const anchors = anchorCount(levels);
  const sections: Section[] = [{ name: "teacher/scores", shape: [classes.length, anchors] }, { name: "teacher/boxes", shape: [4, anchors] }];
  if (!teacher || others.length > 0) return sections;
  const { graph: given, head } = teacher.model;
  const bins = binsOf(graph, family);
  if (distill.distribution && bins !== undefined && head.family === "yolov8" && (binsOf(given, "yolov8") ?? bins) === bins) sections.push({ name: "teacher/distribution", shape: [4, bins, anchors] });
  if (distill.features !== "none") sections.push(...levels.map(({ columns, rows }, level) => ({ name: `teacher/feature${level}`, shape: [featureChannels(given, head.family, level), rows, columns] })));
  return sections;
};

/** What `read` finds in a head; undefined where the head must be rewritten before it is found. */
const headFact = <Fact>(graph: Graph, family: TrainableFamily, read: (cut: CutHead) => Fact): Fact | undefined => {
  try {
    return read(cutHead(graph, family));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
};

/** Bins of the box distribution. */
const binsOf = (graph: Graph, family: TrainableFamily): number | undefined => {
  const channels = family === "yolov8" ? headFact(graph, family, ({ levels }) => levels[0]?.box.shape?.[1]) : undefined;
  return typeof channels === "number" ? channels / 4 : undefined;
};

/** Channels of the neck's output at a level; those of YOLOv8s where the head does not say. */
const featureChannels = (graph: Graph, family: string, level: number): number => {
  const channels = family === "yolov8" || family === "yolox" ? headFact(graph, family, (cut) => neckFeatures(cut)[level]?.shape?.[1]) : undefined;
  return typeof channels === "number" ? channels : [128, 256, 512][level]!;
};

const meanBytes = async (paths: readonly string[]): Promise<number> => {
  const sizes = await Promise.all(paths.map((path) => stat(path).then(({ size }) => size, () => 0)));
  return sizes.length === 0 ? 0 : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
};

/** What a run's folders hold already. A teacher cache counts by the size of its files, which tells this run's from others'. */
export const diskState = async (runFolder: string, cacheFolder: string, { sections, pictures }: DiskFacts): Promise<DiskState> => {
  const entries = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
  const finished = new Set<string>();
  for (const entry of await entries(runFolder)) {
    const at = entry.lastIndexOf("-");
    if (at > 0 && (await stat(join(runFolder, entry, "stage.json")).catch(() => undefined))) finished.add(entry.slice(0, at));
  }
  const fileBytes = recordBytes(sections) * pictures;
  const caches: number[] = [0];
  for (const folder of await entries(join(cacheFolder, "teacher"))) {
    const sizes = await Promise.all((await entries(join(cacheFolder, "teacher", folder))).map((file) => stat(join(cacheFolder, "teacher", folder, file)).then(({ size }) => size, () => 0)));
    caches.push(sizes.filter((size) => size === fileBytes).length * fileBytes);
  }
  return { finished, teacherBytes: largest(caches) };
};

/** Free bytes for this user where `folder` lies; undefined where the system does not say. */
const freeBytes = (folder: string): Promise<number | undefined> => statfs(folder).then(({ bavail, bsize, blocks }) => (blocks > 0 ? bavail * bsize : undefined), () => undefined);

export interface DiskPlaces {
  readonly runFolder: string;
  readonly cacheFolder: string;
  readonly reporter: Reporter;
  /** Instead of asking the system. */
  readonly free?: number;
}

/** Says what the run still needs on disk and what is free. Throws UserError DISK_SPACE where that is less, before any work. */
export const checkDisk = async (loaded: LoadedConfig, plan: Plan, { runFolder, cacheFolder, reporter, free }: DiskPlaces): Promise<void> => {
  const facts = await diskFacts(loaded, plan);
  const remaining = remainingDisk(estimateDisk(facts), await diskState(runFolder, cacheFolder, facts));
  const available = free ?? (await freeBytes(runFolder));
  if (remaining.length === 0) return;
  if (available !== undefined && available < sumOf(remaining)) throw diskSpace(dirname(runFolder), remaining, available, facts);
  reporter.line(`disk: needs about ${diskText(remaining)} below ${dirname(runFolder)}${available === undefined ? "" : `, ${bytes(available)} free`}`);
};

const diskSpace = (folder: string, remaining: readonly DiskPart[], free: number, { config: { distill }, sections, pictures }: DiskFacts): UserError => {
  const asksTeacher = remaining.some(({ name }) => name === "teacher outputs");
  return new UserError("DISK_SPACE", `The run needs about ${diskText(remaining)} below ${folder}, and ${bytes(free)} are free there.`,
    `free some space${asksTeacher ? `, lower distill.variants (${distill.variants} now; each keeps ${bytes(recordBytes(sections) * pictures)} of teacher outputs)` : ""}, or give a folder on another disk with --runs.`);
};
