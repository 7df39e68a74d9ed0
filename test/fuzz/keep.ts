import { execa } from "execa";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { FaultClass, Tally } from "./campaign.ts";
import { inputAt, type Input, type Kind } from "./kind.ts";
import { kindNamed } from "./kinds.ts";
import { isOfProcess, outcomeOf, signatureOf, uncleanPart, type Outcome } from "./outcome.ts";

const root = join(import.meta.dirname, "..", "..");

/** Longest time that a smaller input is looked for. */
const minimizeMs = 700;
/** Of all of them: what is found later is kept as it is. */
const minimizeAllMs = 20_000;
let spentMs = 0;

/**
 * The input with as many pieces cut out as leave the fault the same. Crashes and hangs are kept as they are: each try
 * would end a process.
 */
const minimized = async (kind: Kind, input: Input, outcome: Outcome): Promise<Input> => {
  if (isOfProcess(outcome) || spentMs > minimizeAllMs) return input;
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "edgestill-fuzz-min-"));
  try {
    const check = await kind.open(folder);
    const same = async (bytes: Uint8Array): Promise<boolean> =>
      signatureOf(await outcomeOf(check, { ...input, bytes })) === signatureOf(outcome);
    const until = performance.now() + minimizeMs;
    let best = input.bytes;
    for (let size = best.length >> 1; size > 0 && performance.now() < until; size >>= 1)
      for (let at = 0; at < best.length && performance.now() < until;) {
        const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
        if (await same(shorter)) best = shorter;
        else at += size;
      }
    return { ...input, bytes: best };
  } finally {
    spentMs += performance.now() - started;
    await rm(folder, { recursive: true, force: true });
  }
};

/**
 * Writes the first inputs of each class, the first one made smaller; their paths. `<kind>/<seed's name>~<run's
 * seed>-<index>-<digest>`
 */
export const keepFaults = async (
  folder: string,
  { kind }: Tally,
  found: FaultClass,
  seed: number,
): Promise<string[]> => {
  const seeds = await kind.seeds();
  const files: string[] = [];
  for (const [n, index] of found.indexes.entries()) {
    const given = inputAt(kind, seeds, seed, index);
    const input = n === 0 ? await minimized(kind, given, found.outcome) : given;
    const digest = createHash("sha256").update(input.bytes).digest("hex").slice(0, 8);
    const file = join(folder, kind.name, `${encodeURIComponent(input.name)}~${seed}-${index}-${digest}`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, input.bytes);
    await writeFile(`${file}.txt`, `${signatureOf(found.outcome)}\n\n${found.outcome.message ?? ""}\n`);
    files.push(file);
  }
  return files;
};

/** Name of the seed that a kept input was made from. */
export const seedOf = (file: string): string => decodeURIComponent(basename(file).split("~")[0]!);

/** The kept input again, here: its outcome. A crash ends this process as it ended the other. */
export const replay = async (
  file: string,
): Promise<{ readonly outcome: Outcome; readonly kind: Kind; readonly seed: string }> => {
  const kind = kindNamed(basename(dirname(file)));
  const seed = seedOf(file);
  const folder = await mkdtemp(join(tmpdir(), "edgestill-fuzz-replay-"));
  try {
    const check = await kind.open(folder);
    return { outcome: await outcomeOf(check, { name: seed, bytes: await readFile(file) }), kind, seed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/**
 * What the command line makes of an input that ended a process: native work runs in a process of its own there, so a
 * user may get an error with a code
 * where a program that calls the API in its own process would be ended.
 */
export const asCommand = async (
  kind: Kind,
  file: string,
  seed: string,
): Promise<{ readonly isTold: boolean; readonly text: string } | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-fuzz-cli-"));
  try {
    const args = kind.command?.(file, seed, join(folder, "out.onnx"));
    if (!args) return undefined;
    const input = { name: seed, bytes: await readFile(file) };
    const { exitCode, signal, stderr } = await execa(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), join(root, "cli", "main.ts"), ...args],
      { cwd: folder, reject: false, timeout: 120_000, stdin: "ignore", env: { NO_COLOR: "1" } },
    );
    const isTold =
      signal === undefined &&
      (exitCode === 0 || /^error \[[A-Z_]+\]/m.test(stderr)) &&
      uncleanPart(stderr, input) === undefined;
    return { isTold, text: stderr.trim().split("\n").slice(-3).join("\n") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
