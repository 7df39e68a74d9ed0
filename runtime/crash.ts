import { UserError } from "../graph/error.ts";
import type { NativeWork } from "./native-work.ts";

/** How a process ended, as node:child_process tells it. */
export interface ProcessEnd {
  readonly exitCode: number | null | undefined;
  readonly signal: string | null | undefined;
}

/** Signals that end a process from within (or, SIGKILL, by the system), in words, with the number that shells add to 128. */
const crashes: Readonly<Record<string, readonly [number: number, words: string]>> = {
  SIGILL: [4, "an instruction that this processor does not have"],
  SIGTRAP: [5, "a trap: the program found itself in a state that cannot be"],
  SIGABRT: [6, "it gave up: a failed assertion, a C++ exception, or no memory left"],
  SIGBUS: [7, "a read or write of memory that is not there, such as a file that became shorter or a full /dev/shm"],
  SIGFPE: [8, "an arithmetic error, such as an integer divided by zero"],
  SIGKILL: [9, "it was ended from outside: by the system when memory ran out, or by another program"],
  SIGSEGV: [11, "a read or write outside its memory"],
  SIGXCPU: [24, "the limit of CPU time (ulimit -t) was reached"],
  SIGXFSZ: [25, "the limit of file size (ulimit -f) was reached"],
  SIGSYS: [31, "a system call that is not allowed here"],
};

/** Windows' NTSTATUS codes of the same ends. */
const windowsCrashes: Readonly<Record<number, string>> = {
  0xc0000005: "a read or write outside its memory", 0xc000001d: "an instruction that this processor does not have", 0xc0000094: "an integer divided by zero",
  0xc00000fd: "its stack overflowed", 0xc0000017: "no memory left", 0xc0000374: "its heap was damaged", 0xc0000409: "it gave up: a failed assertion or a damaged stack",
};

/** "SIGFPE: an arithmetic error, …" for a process that crashed or was killed, undefined for one that ended by itself or that a user stopped. */
export const crashWords = ({ exitCode, signal }: ProcessEnd): string | undefined => {
  const name = signal ?? Object.keys(crashes).find((known) => crashes[known]![0] + 128 === exitCode);
  if (name && Object.hasOwn(crashes, name)) return `${name}: ${crashes[name]![1]}`;
  const code = (exitCode ?? 0) >>> 0;
  return code >= 0xc0000000 ? `0x${code.toString(16)}: ${windowsCrashes[code] ?? "the system ended it"}` : undefined;
};

/** "while running model.onnx". */
export const whileDoing = (work: NativeWork | undefined): string => (work ? `while ${work.doing} ${work.model}` : "while no model was loaded or run");

/** The process that ran the model crashed, or was killed. */
export const nativeCrash = (words: string, work: NativeWork | undefined): UserError =>
  words.startsWith("SIGKILL")
    ? new UserError("KILLED", `The working process was killed ${whileDoing(work)} (${words}).`,
      "check the free memory (`free -h`; the kernel's log names what it ended), use a smaller batch or model, then run the same command again: what is finished is kept.")
    : new UserError("NATIVE_CRASH", `Native code crashed ${whileDoing(work)} (${words}).`, work
      ? "the model asks for something that ONNX Runtime does not survive: do not trust the file unless you know its origin, and export it anew. What is finished is kept."
      : "check the memory and the pictures that were being read, then run the same command again: what is finished is kept.");

/** One call took longer than its limit. `setting` says how the limit is raised. */
export const overrun = (work: NativeWork, limitSeconds: number, setting: string): UserError =>
  new UserError("TIME_LIMIT", `${work.doing === "running" ? "A single run of" : "Loading"} ${work.model} took longer than ${limitSeconds} s and was stopped${
    work.hasLoops ? ": the model has a loop that may never end" : ""}.`, `if the model does take so long, ${setting}; else export it without the loop that does not end.`);

/** The process for the work cannot be started. */
export const notStarted = (cause: Error): UserError =>
  new UserError("PROCESS_START", `The process for the work cannot be started: ${cause.message}.`, "check the free memory and the limit of processes (`ulimit -u`), then run it again.", { cause });
