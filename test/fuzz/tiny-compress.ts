import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, open, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..", "..");

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  /**
   * SIGKILL: to the program alone, as the system does when memory is short, or to all that it started as well, as a
   * power cut does.
   */
  readonly kill: (all: boolean) => void;
}

const fromSource = ["--import", import.meta.resolve("tsx"), join(root, "cli", "main.ts")];
/** What `npm run build` made: it starts in a tenth of the time. */
const asBuilt = [join(root, "dist", "cli", "main.js")];

/** `edgestill compress config.yaml` of the folder. */
export const startCompress = (folder: string, runs: string, built = false): Running => {
  const child = spawn(
    process.execPath,
    [...(built ? asBuilt : fromSource), "compress", "config.yaml", "--runs", runs],
    {
      cwd: folder,
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
    },
  );
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-20_000);
  });
  const ended = new Promise<Ended>((settle) => {
    child.on("close", (exitCode, signal) => settle({ exitCode, signal, stderr }));
  });
  const kill = (all: boolean): void => {
    try {
      process.kill(all ? -child.pid! : child.pid!, "SIGKILL");
    } catch {
      // it has ended in the meantime
    }
  };
  return { ended, kill };
};

/** What a run gave: each model's digest, as the file has it, and its accuracy. */
export type Finished = ReadonlyMap<
  string,
  { readonly sha256: string; readonly stated: string; readonly map: number | null }
>;

interface RunFile {
  readonly variants: readonly {
    readonly name: string;
    readonly model: string;
    readonly sha256: string;
    readonly accuracy: { readonly map: number } | null;
  }[];
}

export const resultOf = async (runs: string): Promise<Finished> => {
  const [name] = (await readdir(runs)).filter((entry) => entry.startsWith("tiny-"));
  const folder = join(runs, name!);
  const { variants } = JSON.parse(await readFile(join(folder, "run.json"), "utf8")) as RunFile;
  const entries = variants.map(async ({ name: variant, model, sha256, accuracy }) => {
    const file = await readFile(resolve(folder, model));
    return [
      variant,
      { sha256: createHash("sha256").update(file).digest("hex"), stated: sha256, map: accuracy?.map ?? null },
    ] as const;
  });
  return new Map(await Promise.all(entries));
};

/** The first thing in which the second result is another one. */
export const differenceOf = (expected: Finished, actual: Finished): string | undefined => {
  for (const [name, { sha256, map }] of expected) {
    const other = actual.get(name);
    if (!other) return `there is no ${name}`;
    if (other.sha256 !== sha256) return `${name} has other bytes`;
    if (other.stated !== sha256) return `run.json states another sha256 of ${name}`;
    if (other.map !== map) return `${name} has mAP ${other.map} instead of ${map}`;
  }
  return undefined;
};

export const copyOf = async (from: string, to: string): Promise<string> => {
  await cp(from, to, { recursive: true });
  return to;
};

/** Takes all space of the file's disk until `ended`, also what becomes free meanwhile. */
export const fillWhile = async (file: string, ended: Promise<unknown>): Promise<void> => {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const handle = await open(file, "a");
  const piece = Buffer.alloc(1 << 20);
  try {
    for (let size = piece.length; !isOver;) {
      const isFull = await handle.write(piece, 0, size).then(
        ({ bytesWritten }) => bytesWritten < size,
        () => true,
      );
      if (isFull && size > 512) size >>= 3;
      else if (isFull)
        await new Promise((settle) => {
          setTimeout(settle, 5);
        });
    }
  } finally {
    await handle.close();
  }
};
