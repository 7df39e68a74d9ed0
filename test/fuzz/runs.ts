import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeDetector, makeScenes, writeConfig } from "../helpers/scenes.ts";
import { damageOneFile, type Damage } from "./damage.ts";
import { hashOf } from "./kind.ts";
import { randomFrom, type Random } from "./random.ts";
import { copyOf, differenceOf, fillWhile, resultOf, startCompress, type Finished } from "./tiny-compress.ts";

export interface InterruptionOptions {
  readonly seed: number;
  /** The built package instead of the source. */
  readonly built: boolean;
  readonly json: boolean;
  readonly markdown: boolean;
  readonly print: (text: string) => void;
  readonly note: (text: string) => void;
  /** How often each is done. */
  readonly counts: { readonly kills: number; readonly full: number; readonly damages: number };
}

/** One kind of disturbance: how often, how many were undone by running the same command again, and what was not. */
interface Row {
  readonly name: string;
  done: number;
  same: number;
  readonly faults: string[];
}

interface Setting {
  readonly folder: string;
  readonly built: boolean;
  readonly expected: Finished;
  /** Of an undisturbed run. */
  readonly seconds: number;
  readonly random: Random;
  readonly note: (text: string) => void;
}

/** Most kills before a run is let to its end. */
const killsInARow = 6;

/** Runs again until the end; why the result is another one. */
const endOf = async ({ folder, expected, built }: Setting, runs: string): Promise<string | undefined> => {
  const { exitCode, stderr } = await startCompress(folder, runs, built).ended;
  if (exitCode !== 0) return `the run after it ended with exit code ${exitCode}: ${stderr.slice(-300)}`;
  return differenceOf(expected, await resultOf(runs));
};

const judge = (row: Row, times: number, fault: string | undefined, what: string, note: Setting["note"]): void => {
  row.done += times;
  if (fault === undefined) row.same += times;
  else row.faults.push(`${what}: ${fault}`);
  note(
    `${row.name}: ${row.done} done, ${row.same} with the same result${fault === undefined ? "" : `; ${what}: ${fault}`}`,
  );
};

/**
 * SIGKILL at random points of one run after the other, each gone on with until it is killed again or let to its end.
 */
const killed = async (setting: Setting, row: Row, count: number): Promise<void> => {
  const { folder, seconds, random, note } = setting;
  while (row.done < count) {
    const runs = await mkdtemp(join(folder, "kills-"));
    const at: string[] = [];
    while (at.length < Math.min(killsInARow, count - row.done)) {
      const [wait, all] = [random() * seconds, random() < 0.5];
      const run = startCompress(folder, runs, setting.built);
      const timer = setTimeout(() => run.kill(all), 1000 * wait);
      const { signal } = await run.ended;
      clearTimeout(timer);
      if (signal !== "SIGKILL") break; // it was faster
      at.push(`${wait.toFixed(2)}${all ? "" : " (the program alone)"}`);
    }
    const fault = await endOf(setting, runs);
    judge(row, at.length, fault, `killed after ${at.join(", ")} s`, note);
    await rm(runs, { recursive: true, force: true });
  }
};

/** A file system of its own whose rest is taken away at a random point; nothing where it cannot be mounted. */
const filled = async (setting: Setting, row: Row, count: number): Promise<void> => {
  const { folder, seconds, random, note } = setting;
  const disk = join(folder, "disk");
  await mkdir(disk);
  try {
    await promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=300m", "tmpfs", disk]);
  } catch {
    note("skipped: disk full (needs the right to mount a tmpfs)");
    return;
  }
  try {
    for (let tries = 0; row.done < count && tries < 3 * count; tries++) {
      const runs = join(disk, `runs${tries}`);
      const wait = random() * seconds;
      const run = startCompress(folder, runs, setting.built);
      const timer = setTimeout(() => {
        void fillWhile(join(disk, "ballast"), run.ended);
      }, 1000 * wait);
      const { exitCode, stderr } = await run.ended;
      clearTimeout(timer);
      await rm(join(disk, "ballast"), { force: true });
      if (exitCode === 0) continue; // nothing was written after it
      const isTold = exitCode === 1 && /error \[[A-Z_]+\]/.test(stderr) && /disk|space/i.test(stderr);
      const fault = isTold
        ? await endOf(setting, runs)
        : `exit code ${exitCode}, not told as a full disk: ${stderr.slice(-300)}`;
      judge(row, 1, fault, `full after ${wait.toFixed(2)} s`, note);
      await rm(runs, { recursive: true, force: true });
    }
  } finally {
    await promisify(execFile)("umount", [disk]);
  }
};

/** One file of a finished run changed, cut short, emptied or deleted; the same command again. */
const corrupted = async (setting: Setting, row: Row, count: number, finished: string): Promise<void> => {
  for (let at = 0; at < count; at++) {
    const runs = await copyOf(finished, join(setting.folder, `corrupted-${at}`));
    const damage: Damage = await damageOneFile(runs, at, setting.random);
    judge(row, 1, await endOf(setting, runs), `${damage.how} ${damage.file}`, setting.note);
    await rm(runs, { recursive: true, force: true });
  }
};

const textOf = (rows: readonly Row[], markdown: boolean): string => {
  const cells = [
    ["disturbance", "times", "same result afterwards", "faults"],
    ...rows.map(({ name, done, same, faults }) => [name, String(done), String(same), String(faults.length)]),
  ];
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join(markdown ? " | " : "  "),
  );
  if (!markdown) return lines.join("\n");
  return [`| ${lines[0]!} |`, "|---|--:|--:|--:|", ...lines.slice(1).map((line) => `| ${line} |`)].join("\n");
};

/**
 * Kills, full disks and corruptions of a tiny compress; each is followed by the same command, which must give the same
 * models and figures.
 */
export const runInterruptions = async ({
  seed,
  built,
  json,
  markdown,
  print,
  note,
  counts,
}: InterruptionOptions): Promise<boolean> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-interrupted-"));
  try {
    await makeScenes(folder, 6, 4);
    await makeDetector(join(folder, "teacher.onnx"));
    await writeConfig(folder, [
      "teacher: {model: teacher.onnx}",
      "distill: {epochs: 2, batch: 3, variants: 1, distribution: false, baseline: false, evaluateEvery: 1}",
      "prune: {macs: 0.7, criterion: l2, recover: {epochs: 1}}",
      "quantize: {images: 2, maxDrop: 1, scheme: cpu}",
    ]);
    const finished = join(folder, "undisturbed");
    const started = performance.now();
    const { exitCode, stderr } = await startCompress(folder, finished, built).ended;
    if (exitCode !== 0) throw new Error(`the undisturbed run ended with exit code ${exitCode}: ${stderr.slice(-500)}`);
    const seconds = (performance.now() - started) / 1000;
    note(`the undisturbed run took ${seconds.toFixed(0)} s`);
    const setting = (name: string): Setting => ({
      folder,
      built,
      expected,
      seconds,
      random: randomFrom(hashOf(`${name}/${seed}`)),
      note,
    });
    const expected = await resultOf(finished);
    const rows: Row[] = ["SIGKILL", "disk full", "file damaged"].map((name) => ({
      name,
      done: 0,
      same: 0,
      faults: [],
    }));
    const [kills, full, damaged] = rows as [Row, Row, Row];
    await Promise.all([
      killed(setting("kills"), kills, counts.kills),
      corrupted(setting("corruptions"), damaged, counts.damages, finished).then(() =>
        filled(setting("full"), full, counts.full),
      ),
    ]);
    print(json ? JSON.stringify(rows, null, 2) : textOf(rows, markdown));
    return rows.every(({ faults }) => faults.length === 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
