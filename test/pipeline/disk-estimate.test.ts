import { test } from "uvu";
import * as assert from "uvu/assert";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../../pipeline/config.ts";
import { checkDisk, diskFacts, diskState, diskText, estimateDisk, remainingDisk, sumOf, type DiskPart } from "../../pipeline/disk-estimate.ts";
import { makePlan } from "../../pipeline/plan.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import { compress } from "../../pipeline/run.ts";
import { inFolder } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";
import { makeDetector, makeScenes, writeConfig } from "../helpers/scenes.ts";

/** Bytes of the files below `folder`, without those of the type `without`. */
const bytesBelow = async (folder: string, without = ""): Promise<number> => {
  const entries = (await readdir(folder, { recursive: true })).filter((entry) => without === "" || !entry.endsWith(without));
  const sizes = await Promise.all(entries.map((entry) => stat(join(folder, entry)).then((found) => (found.isFile() ? found.size : 0))));
  return sizes.reduce((sum, size) => sum + size, 0);
};
const lasting = (parts: readonly DiskPart[]): DiskPart[] => parts.filter(({ isTemporary }) => isTemporary !== true);
const named = (parts: readonly DiskPart[], name: DiskPart["name"]): number => sumOf(parts.filter((part) => part.name === name));

test("the estimate is within a tenth of what a run writes; what is there already is not asked for again; too little is refused before any work", () => inFolder(async (folder) => {
  await makeScenes(folder, 24, 4);
  await makeDetector(join(folder, "teacher.onnx"));
  const path = await writeConfig(folder, [
    "teacher: {model: teacher.onnx}", "distill: {epochs: 1, batch: 8, variants: 3, features: cwd, evaluateEvery: 0}", "prune: {macs: 0.7, criterion: l2, recover: {epochs: 1}}",
    "quantize: {method: minmax, images: 2, maxDrop: 1}", "targets: []", "allowedDrop: {distill: 1, prune: 1, quantize: 1}",
  ]);
  const loaded = await loadConfig(path);
  const plan = await makePlan(loaded, silentReporter);
  const facts = await diskFacts(loaded, plan);
  const parts = estimateDisk(facts);
  const [runs, lines] = [join(folder, "runs"), [] as string[]];

  const { runFolder } = await compress(path, { runs, reporter: { ...silentReporter, line: (text) => lines.push(text) } });
  const cacheFolder = join(runs, "cache");
  const written = await bytesBelow(runs);
  const estimated = sumOf(lasting(parts));
  assert.ok(Math.abs(estimated / written - 1) < 0.1, `${diskText(lasting(parts))}, written ${written}`);
  assert.is(named(parts, "teacher outputs"), await bytesBelow(join(cacheFolder, "teacher"), ".json"));
  assert.match(lines.find((line) => line.startsWith("disk: "))!, /^disk: needs about [\d.]+ MB \((models|checkpoints|teacher outputs) [\d.]+ MB, .*\) below .*runs, [\d.]+ [GM]B free$/);

  const state = await diskState(runFolder, cacheFolder, facts);
  assert.is(state.teacherBytes, named(parts, "teacher outputs"));
  assert.equal(remainingDisk(parts, state), []);
  await checkDisk(loaded, plan, { runFolder, cacheFolder, reporter: silentReporter, free: 0 });

  const error = await refusal(checkDisk(loaded, plan, { runFolder: join(folder, "other", "run"), cacheFolder: join(folder, "other", "cache"), reporter: silentReporter, free: 1_000_000 }));
  assert.is(error.code, "DISK_SPACE");
  assert.match(error.message, /^The run needs about [\d.]+ MB \(.*teacher outputs [\d.]+ MB.*\) below .*other, and 1\.00 MB are free there\.$/);
  assert.match(error.nextStep, /distill\.variants \(3 now; each keeps [\d.]+ (MB|kB) of teacher outputs\).*--runs/);
  // with the teacher's outputs there already the same space is enough for the rest of them
  assert.is(named(remainingDisk(parts, { finished: new Set(), teacherBytes: state.teacherBytes }), "teacher outputs"), 0);
  assert.is(named(remainingDisk(parts, { finished: new Set(), teacherBytes: state.teacherBytes / 3 }), "teacher outputs"), (state.teacherBytes * 2) / 3);
}));

const base: Parameters<typeof estimateDisk>[0] = {
  config: {
    distill: { epochs: 10, alpha: 0.5, variants: 6, baseline: true }, report: { pictures: 0 },
  } as unknown as Parameters<typeof estimateDisk>[0]["config"],
  teachers: 1, pictures: 640, hasLabels: true, sections: [{ name: "teacher/scores", shape: [5, 2100] }, { name: "teacher/boxes", shape: [4, 2100] }, { name: "teacher/distribution", shape: [4, 16, 2100] }],
  student: { bytes: 12_600_000, hasBatchNorm: true, isGiven: false }, size: [320, 320], pictureBytes: 100_000,
};

test("307 kB a picture and variant for YOLOv8 heads at 320 pixels; nothing of it without a teacher, with alpha 0 or without training", () => {
  assert.is(named(estimateDisk(base), "teacher outputs"), 2 * (5 + 4 + 64) * 2100 * 640 * 6);
  const without = (facts: Partial<typeof base>): number => named(estimateDisk({ ...base, ...facts }), "teacher outputs");
  const distill = (more: object): Partial<typeof base> => ({ config: { ...base.config, distill: { ...base.config.distill, ...more } } });
  assert.equal([without({ teachers: 0 }), without(distill({ alpha: 0 })), without(distill({ epochs: 0 }))], [0, 0, 0]);
});

test("the text names the parts that matter, the largest first", () => {
  const part = (name: DiskPart["name"], bytes: number): DiskPart => ({ name, stage: undefined, bytes });
  assert.is(diskText([part("models", 180e6), part("teacher outputs", 1.2e9), part("pictures of the report", 1e6)]), "1.38 GB (teacher outputs 1.20 GB, models 180 MB)");
});

test.run();
