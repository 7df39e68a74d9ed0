import type { NativeWork } from "./native-work.ts";

/** Longest that one native call may take, in seconds; 0 is without limit. */
export interface WorkLimits {
  /** Of a model with a Loop or Scan. A round of a loop costs the runtime microseconds: a detector's loop ends in less than a second. */
  readonly loopSeconds: number;
  /** Of any other model: ten times what a training step of a large detector takes on a small computer. */
  readonly seconds: number;
}

const defaultLimits: WorkLimits = { loopSeconds: 60, seconds: 900 };

/** One limit for all, from a setting in seconds; the default limits for anything that is no number from 0 on. */
export const limitsFrom = (setting: string | undefined): WorkLimits => {
  const seconds = setting === undefined || setting.trim() === "" ? NaN : Number(setting);
  return seconds >= 0 ? { loopSeconds: seconds, seconds } : defaultLimits;
};

/** What a child process tells of its native work, a line of JSON each ("" is: done), as another process follows it. */
export class WorkWatch {
  readonly #limits: WorkLimits;
  readonly #onOverrun: (work: NativeWork, limitSeconds: number) => void;
  #open = "";
  #current: NativeWork | undefined;
  #seconds = 0;
  readonly #clock: NodeJS.Timeout;

  /** `onOverrun` is called once a call has taken longer than its limit. */
  constructor(limits: WorkLimits, onOverrun: (work: NativeWork, limitSeconds: number) => void) {
    [this.#limits, this.#onOverrun] = [limits, onOverrun];
    // seconds are counted, not read from a clock: while Ctrl-Z holds both processes, nothing is counted
    this.#clock = setInterval(() => { this.#tick(); }, 1000).unref();
  }

  /** What was told last and is not done. */
  get current(): NativeWork | undefined {
    return this.#current;
  }

  /** A piece of what the child has written. */
  read(piece: string): void {
    const lines = (this.#open + piece).split("\n");
    this.#open = (lines.pop() ?? "").slice(-longestLine);
    const last = lines.at(-1);
    if (last === undefined) return;
    const work = last === "" ? undefined : workIn(last);
    if (work === unreadable) return; // what is told is for messages only
    this.#current = work;
    this.#seconds = 0;
  }

  stop(): void {
    clearInterval(this.#clock);
  }

  #tick(): void {
    if (!this.#current) return;
    const limit = this.#current.hasLoops ? this.#limits.loopSeconds : this.#limits.seconds;
    this.#seconds++;
    if (limit > 0 && this.#seconds === Math.ceil(limit)) this.#onOverrun(this.#current, limit);
  }
}

const longestLine = 2 ** 20;
const unreadable = Symbol("no line of workLine");

/** What a line says. */
const workIn = (line: string): NativeWork | typeof unreadable => {
  try {
    const value = JSON.parse(line) as Partial<NativeWork> | null;
    const isWork = (value?.doing === "loading" || value?.doing === "running") && typeof value.model === "string" && typeof value.hasLoops === "boolean";
    return isWork ? value as NativeWork : unreadable;
  } catch {
    return unreadable;
  }
};

/** A line for `WorkWatch.read`. */
export const workLine = (work: NativeWork | undefined): string => `${work ? JSON.stringify(work) : ""}\n`;
