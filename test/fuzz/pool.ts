import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./outcome.ts";
import type { Batch, LogLine } from "./worker.ts";

/** How one input of a batch ended. */
export interface Ended {
  readonly index: number;
  readonly outcome: Outcome;
}

export interface WatchOptions {
  /** An input that takes longer is a hang. */
  readonly hangSeconds: number;
  /** Resident memory beyond which a process is ended. */
  readonly memoryBytes: number;
  /** Most that a process may grow by while one input runs. */
  readonly growthBytes: number;
  /** Folder of its own: log and what inputs write. */
  readonly folder: string;
}

/** Longest time until a new process has loaded the product and made the seeds. */
const startSeconds = 300;

/**
 * Runs batches in a process that it watches and replaces: native crashes, hangs and memory lose the one input that was
 * running.
 */
export class Watched {
  readonly #options: WatchOptions;
  #child: ChildProcess | undefined;
  #batches = 0;
  #peakBytes = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Largest resident memory of any of its processes. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  async run(batch: Batch): Promise<Ended[]> {
    const ended: Ended[] = [];
    for (let from = batch.from; from < batch.to;) {
      const found = await this.#attempt({ ...batch, from });
      ended.push(...found);
      from = (found.at(-1)?.index ?? from) + 1;
    }
    return ended;
  }

  close(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  get #log(): string {
    return join(this.#options.folder, "log");
  }

  /** Runs until the batch is done or the process has ended; the last one of a process that has ended is a fault. */
  async #attempt(batch: Batch): Promise<Ended[]> {
    const child = this.#start();
    writeFileSync(this.#log, "");
    const why = await this.#watch(child, batch);
    if (why === undefined && ++this.#batches % 40 === 0) this.#retire();
    const lines = readLog(this.#log);
    const ended = lines.flatMap((line) => ("ended" in line ? [{ index: line.ended, outcome: outcomeFrom(line) }] : []));
    if (why === undefined) return ended;
    this.#retire();
    const last = lines.at(-1);
    const running = last && "begins" in last ? last.begins : (ended.at(-1)?.index ?? batch.from - 1) + 1;
    return [...ended.filter(({ index }) => index !== running), { index: running, outcome: why }];
  }

  #start(): ChildProcess {
    if (this.#child?.connected) return this.#child;
    const work = join(this.#options.folder, "work");
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    this.#child = fork(join(import.meta.dirname, "worker.ts"), [this.#log, work, String(this.#options.growthBytes)], {
      execArgv: ["--import", "tsx", "--max-old-space-size=3072"],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: "1", NO_COLOR: "1" },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    return this.#child;
  }

  #retire(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #watch(child: ChildProcess, batch: Batch): Promise<Outcome | undefined> {
    const { hangSeconds, memoryBytes } = this.#options;
    return new Promise((resolve) => {
      let [size, since] = [-1, performance.now()];
      const look = setInterval(() => {
        const now = logSize(this.#log);
        if (now !== size) [size, since] = [now, performance.now()];
        const resident = residentBytes(child.pid!);
        this.#peakBytes = Math.max(this.#peakBytes, resident);
        if (resident > memoryBytes)
          end({ is: "memory", message: `more than ${(memoryBytes / 2 ** 30).toFixed(1)} GiB` });
        else if (performance.now() - since > 1000 * (now === 0 ? startSeconds : hangSeconds))
          end({ is: "hang", message: `more than ${hangSeconds} s` });
      }, 250);
      const exited = (code: number | null, signal: NodeJS.Signals | null): void =>
        end({ is: "crash", message: `the process ended with ${signal ?? `exit code ${code}`}` });
      const done = (answer: { readonly peakBytes: number }): void => {
        this.#peakBytes = Math.max(this.#peakBytes, answer.peakBytes);
        end(undefined);
      };
      const end = (why: Outcome | undefined): void => {
        clearInterval(look);
        child.off("exit", exited);
        child.off("message", done);
        resolve(why);
      };
      child.on("exit", exited);
      child.on("message", done);
      child.send(batch);
    });
  }
}

const outcomeFrom = ({ is, code, message }: Extract<LogLine, { ended: number }>): Outcome => ({
  is,
  ...(code !== undefined && { code }),
  ...(message !== undefined && { message }),
});

const readLog = (file: string): LogLine[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogLine);

const logSize = (file: string): number => readFileSync(file).length;

const residentBytes = (pid: number): number => {
  try {
    return 4096 * Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  } catch {
    return 0; // it has ended, or this system has no /proc
  }
};
