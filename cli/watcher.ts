import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { UserError } from "../graph/error.ts";
import type { NativeWork } from "../runtime/native-work.ts";
import { limitsFrom, WorkWatch } from "../runtime/work-watch.ts";
import { descriptors } from "./watcher-protocol.ts";

/** Time for a command to end by itself after a second Ctrl-C. */
const endingMs = 2000;
/** The same after one SIGTERM: who sends it (a service manager, `timeout`, a container's end) sends no second one but SIGKILL, to this process alone, mostly after 10 s. */
const termMs = 5000;
/** Time for what a process wrote before its end to arrive. */
const arrivalMs = 200;
/** `timeout` sends its SIGTERM twice: to the process, and to its group. */
const sameStopMs = 50;
const setting = "EDGESTILL_RUN_LIMIT";

/**
 * Waits for the command line, which runs in a process of its own, and ends as that ends. A crash of native code there becomes an error that names the model; one
 * native call that takes too long is ended. This process only waits: nothing but Node.js' own modules is loaded while all goes well.
 */
export const watch = async (child: ChildProcess, ended: Promise<ChildEnd>): Promise<void> => {
  let overrunning: readonly [work: NativeWork, limitSeconds: number] | undefined;
  const work = new WorkWatch(limitsFrom(process.env[setting]), (...found) => {
    overrunning = found;
    child.kill("SIGKILL");
  });
  const asked = passStops(child);
  const end = await followed(child, ended, work);
  work.stop();
  if (asked.killed) {
    clearProgress();
    process.stderr.write("stopped; what is finished is kept.\n");
    process.exit(130);
  }
  if (end.error) await fail((await import("../runtime/crash.ts")).notStarted(end.error));
  if (overrunning) await fail((await import("../runtime/crash.ts")).overrun(...overrunning, `set ${setting}=<seconds> (0: no limit) in the environment`));
  if (end.exitCode !== null && end.exitCode < 128) process.exit(end.exitCode);
  const { crashWords, nativeCrash } = await import("../runtime/crash.ts");
  const crash = crashWords(end);
  if (crash !== undefined) await fail(nativeCrash(crash, work.current));
  asked.release();
  if (end.signal) process.kill(process.pid, end.signal); // as a user ended it
  process.exit(end.exitCode ?? 1);
};

/** How the process ended; `error` where it never started. */
export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** Hears what the process tells of its native work until it has ended. */
const followed = async (child: ChildProcess, ended: Promise<ChildEnd>, work: WorkWatch): Promise<ChildEnd> => {
  const told = child.stdio[descriptors.work] as Readable | null;
  told?.setEncoding("utf8").on("data", (piece: string) => {
    work.read(piece);
    if (process.env["EDGESTILL_DEBUG"] && work.current) process.stderr.write(`${work.current.doing} ${work.current.model}\n`);
  }).on("error", () => undefined);
  const arrived = new Promise<void>((resolve) => { told?.once("close", resolve); });
  const end = await ended;
  if (end.signal !== null) await Promise.race([arrived, new Promise((resolve) => { setTimeout(resolve, arrivalMs); })]);
  return end;
};

/**
 * Ctrl-C reaches both processes, `kill` only this one: the command is told how often this one was asked, and takes the larger number of what both have seen.
 * Asked twice, it has `endingMs`, by SIGTERM `termMs`: native code may keep it from hearing.
 */
const passStops = (child: ChildProcess): { killed: boolean; release: () => void } => {
  const pipe = child.stdio[descriptors.stop] as Writable | null;
  pipe?.on("error", () => undefined); // it has ended
  let [times, stoppedAt] = [0, -Infinity];
  const endWithin = (limitMs: number): void => { setTimeout(() => { state.killed ||= child.kill("SIGKILL"); }, limitMs).unref(); };
  const stop = (signal: NodeJS.Signals): void => {
    const isRepeat = signal === "SIGTERM" && performance.now() - stoppedAt < sameStopMs;
    stoppedAt = performance.now();
    if (isRepeat) return;
    times++;
    pipe?.write(`${times}\n`);
    if (times === 2) endWithin(endingMs);
    else if (times === 1 && signal === "SIGTERM") endWithin(termMs);
  };
  const state = { killed: false, release: (): void => { for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop); } };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  return state;
};

const clearProgress = (): void => { if (process.stderr.isTTY) process.stderr.write("\x1b[?7h\r\x1b[J"); };

/** Prints the error as the command itself would, under what is left of its progress lines, and ends. */
const fail = async (error: UserError): Promise<never> => {
  const { explain } = await import("./errors.ts");
  clearProgress();
  process.exit(explain(error, { verbose: process.argv.includes("--verbose"), command: "" }));
};
