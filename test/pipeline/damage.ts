import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { makeDetector, makeScenes, writeConfig } from "../helpers/scenes.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import type { RunResult } from "../../pipeline/result.ts";
import { compress } from "../../pipeline/run.ts";

/** One way to spoil a file. */
export const damages = {
  flip: async (file: string, random: () => number) => {
    const bytes = await readFile(file);
    bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    await writeFile(file, bytes);
  },
  truncate: async (file: string, random: () => number) => truncate(file, Math.floor(random() * (await readFile(file)).length)),
  empty: (file: string) => truncate(file, 0),
  delete: (file: string) => rm(file),
} as const;
export type DamageName = keyof typeof damages;
export const damageNames = Object.keys(damages) as DamageName[];

/** What every file of a runs folder is like before it is damaged. */
export interface Scene {
  /** "finished", "cache" (a finished run's cache without its run folder) or "interrupted". */
  readonly name: string;
  /** The runs folder to start from; it is copied. */
  readonly runs: string;
  /** Paths relative to it. */
  readonly files: readonly string[];
}

export interface Bench {
  readonly folder: string;
  readonly config: string;
  readonly scenes: readonly Scene[];
  /** What every run must come to. */
  readonly expected: string;
}

/** A file that compress writes anew each time and reads nothing from, or that says only where a process works. */
export const isOutputOnly = (file: string): boolean => /(^|\/)(report\.html|run\.json|source\.json|lock)$/.test(file) && !file.startsWith("cache/") && file.split("/").length === 2;

const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/")).sort();
};

/** Variants by content, and their accuracies. */
const essence = ({ variants }: RunResult): string => JSON.stringify(variants.map(({ name, sha256, accuracy }) => [name, sha256, accuracy]));

const run = async (config: string, runs: string, stopAt?: RegExp): Promise<{ readonly result?: RunResult; readonly warnings: string[] }> => {
  const warnings: string[] = [];
  const stop = new AbortController();
  const line = (text: string): void => { if (stopAt?.test(text)) stop.abort(new Error("stopped")); };
  try {
    const { result } = await compress(config, { runs, signal: stop.signal, reporter: { ...silentReporter, line, warn: (text) => warnings.push(text) } });
    return { result, warnings };
  } catch (error) {
    if (stop.signal.aborted) return { warnings };
    throw error;
  }
};

/** Config lines of every stage. */
const everyStage = [
  "distill: {epochs: 2, batch: 4, variants: 1, distribution: false, evaluateEvery: 1, baseline: true}", "targets: [local]",
  "prune: {macs: 0.8, steps: 1, recover: {epochs: 1}}", "quantize: {images: 4, maxDrop: 1, scheme: cpu}", "bundle: {formats: [cpp], archive: true}",
];
/** Without stages that take long and keep no kind of file that others do not. */
export const quickStages = [
  "distill: {epochs: 2, batch: 4, variants: 1, distribution: false, evaluateEvery: 1, baseline: false}", "quantize: {images: 2, maxDrop: 1, scheme: cpu}", "bundle: {formats: [cpp]}",
];

/** Makes data, a config with these stages, and the runs folders to damage. */
export const makeBench = async (folder: string, stages: readonly string[] = everyStage): Promise<Bench> => {
  await makeScenes(folder, 4, 2);
  await makeDetector(join(folder, "teacher.onnx"));
  const config = await writeConfig(folder, ["teacher: {model: teacher.onnx}", ...stages]);
  const at = (name: string): string => join(folder, name);
  const { result } = await run(config, at("finished"));
  await cp(join(at("finished"), "cache"), join(at("cache"), "cache"), { recursive: true });
  await run(config, at("interrupted"), /^distilled epoch 1/);
  const scenes = await Promise.all(["finished", "cache", "interrupted"].map(async (name): Promise<Scene> => ({ name, runs: at(name), files: await filesBelow(at(name)) })));
  return { folder, config, scenes, expected: essence(result!) };
};

/** Damages files of a scene and runs again. Returns what is wrong with that; undefined where all is well. */
export const tryDamages = async ({ folder, config, expected }: Bench, scene: Scene, chosen: readonly ChosenDamage[], random: () => number): Promise<string | undefined> => {
  const runs = await mkdtemp(join(folder, "try-"));
  try {
    await cp(scene.runs, runs, { recursive: true });
    for (const { file, damage } of chosen) await damages[damage](join(runs, file), random);
    const { result, warnings } = await run(config, runs);
    if (essence(result!) !== expected) return "another result";
    for (const { file, damage } of chosen) {
      const about = warnings.filter((text) => text.includes(join(runs, file)));
      if (about.length > 1) return `several lines: ${about.join(" | ")}`;
      const isRead = scene.name === "finished" ? !file.startsWith("cache/") || file.startsWith("cache/accuracy") : true;
      const mustBeNamed = isRead && !isOutputOnly(file) && !(scene.name !== "finished" && damage === "delete" && isUnnamed(file));
      if (about.length === 0 && mustBeNamed) return `no line names ${file}${warnings.length > 0 ? `: ${warnings.join(" | ")}` : ""}`;
    }
    if (warnings.some((text) => !/found nothing/i.test(text) && !text.includes(runs))) return `other lines: ${warnings.join(" | ")}`;
    return undefined;
  } catch (error) {
    return `an error: ${String(error)}`;
  } finally {
    await rm(runs, { recursive: true, force: true });
  }
};

export interface ChosenDamage {
  readonly file: string;
  readonly damage: DamageName;
}

/** Records that nothing names outside their stage: deleted, they are as if they had never been. */
const isUnnamed = (file: string): boolean => /^cache\/(accuracy|pictures)\//.test(file);
