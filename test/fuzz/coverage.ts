import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kind } from "./kind.ts";
import { kinds } from "./kinds.ts";
import { signatureOf, type Outcome } from "./outcome.ts";

export interface CoverageOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly keep: string;
  readonly kinds?: readonly Kind[] | undefined;
  readonly print: (text: string) => void;
  readonly note: (text: string) => void;
}

interface Done {
  readonly inputs: number;
  readonly corpus: number;
  /** Blocks, with how often they ran, of the seeds alone and of all. */
  readonly blocksOfSeeds: number;
  readonly blocks: number;
}
type Message =
  | { readonly done: Done }
  | { readonly fault: { readonly name: string; readonly file: string; readonly outcome: Outcome } };

/** What parses: the product's own JavaScript, whose coverage V8 knows. */
const parsers = ["models", "labels", "configs", "manifests", "devices", "records"];

/** Each parser for its share of the time; true where nothing ended badly. */
export const runCoverage = async ({
  seed,
  minutes,
  keep,
  note,
  print,
  kinds: chosen = kinds.filter(({ name }) => parsers.includes(name)),
}: CoverageOptions): Promise<boolean> => {
  let faults = 0;
  const scratch = await mkdtemp(join(tmpdir(), "edgestill-coverage-"));
  const kept = async (kind: Kind, name: string, file: string, outcome: Outcome): Promise<void> => {
    faults++;
    const digest = createHash("sha256")
      .update(await readFile(file))
      .digest("hex")
      .slice(0, 8);
    const to = join(keep, kind.name, `${encodeURIComponent(name)}~coverage-${seed}-${digest}`);
    await mkdir(join(keep, kind.name), { recursive: true });
    await copyFile(file, to);
    note(`\n${kind.name}: ${signatureOf(outcome)}\n  ${to}`);
  };
  try {
    print("kind        inputs  corpus  blocks of the seeds  blocks");
    for (const kind of chosen) {
      const folder = join(scratch, kind.name);
      const tasks: Promise<void>[] = [];
      let done: Done | undefined;
      const child = fork(
        join(import.meta.dirname, "coverage-worker.ts"),
        [kind.name, String(seed), String((60 * minutes) / chosen.length), folder],
        { execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "ignore", "ipc"] },
      );
      child.on("message", (message: Message) => {
        if ("done" in message) ({ done } = message);
        else tasks.push(kept(kind, message.fault.name, message.fault.file, message.fault.outcome));
      });
      const limit = setTimeout(() => child.kill("SIGKILL"), (60_000 * minutes) / chosen.length + 90_000);
      const signal = await new Promise<string | null>((settle) => {
        child.on("exit", (_code, by) => settle(by));
      });
      clearTimeout(limit);
      await Promise.all(tasks);
      if (done)
        print(
          `${kind.name.padEnd(10)}  ${String(done.inputs).padStart(6)}  ${String(done.corpus).padStart(6)}  ${String(done.blocksOfSeeds).padStart(19)}  ${String(done.blocks).padStart(6)}`,
        );
      else
        await kept(kind, await readFile(`${folder}.current.name`, "utf8"), `${folder}.current`, {
          is: "crash",
          message: `the process ended with ${signal ?? "an exit code"}`,
        });
    }
    return faults === 0;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
