import type { ProgressTask, Reporter } from "../pipeline/progress.ts";
import { bytes } from "../report/figures.ts";
import { StatusLines } from "./status-lines.ts";
import { columnsOf, printable, shortenText } from "./terminal-text.ts";

/** A reporter of the command line; `stop` takes the bars away, what was printed stays. */
export type TerminalReporter = Reporter & { readonly stop: () => void };

/** Bars with rate and time left on a terminal; plain lines, now and then, in a pipe or a terminal that only prints. All to stderr. */
export const terminalReporter = (stream: NodeJS.WriteStream = process.stderr, { isDumb = process.env["TERM"] === "dumb" } = {}): TerminalReporter =>
  stream.isTTY && !isDumb ? barReporter(stream) : lineReporter(stream);

/** Steps per second since the first update: a resumed task does not count what was done before. */
class Rate {
  readonly #started = performance.now();
  #first: number | undefined;

  describe(done: number, total: number, unit: string): string {
    this.#first ??= done;
    const seconds = (performance.now() - this.#started) / 1000;
    const perSecond = (done - this.#first) / seconds;
    if (!(perSecond > 0) || !Number.isFinite(perSecond)) return "";
    const left = `${clock(Math.max(0, total - done) / perSecond)} left`;
    if (unit === "second") return left;
    return `${unit === "byte" ? `${bytes(Math.round(perSecond))}/s` : `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)} ${unit}s/s`}, ${left}`;
  }
}

const clock = (seconds: number): string => {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
};

const amount = (done: number, total: number, unit: string): string =>
  unit === "byte" ? `${bytes(done)} of ${bytes(total)}` : unit === "second" ? `${done.toFixed(0)}/${total.toFixed(0)} s` : `${done}/${total}`;

interface Bar {
  readonly label: string;
  readonly unit: string;
  readonly total: number;
  done: number;
  rate: string;
  detail: string;
}

const barReporter = (stream: NodeJS.WriteStream): TerminalReporter => {
  const bars = new Set<Bar>();
  const status = new StatusLines(stream, (columns) => [...bars].map((bar) => barLine(bar, columns)));
  return {
    line: (text) => status.print(text),
    warn: (text) => status.print(`warning: ${text}`),
    task: (label, total, unit): ProgressTask => {
      const rate = new Rate();
      const bar: Bar = { label, unit, total, done: 0, rate: "", detail: "" };
      bars.add(bar);
      status.show();
      return {
        update: (done, detail = "") => {
          Object.assign(bar, { done, rate: rate.describe(done, total, unit), detail });
          status.refresh();
        },
        end: () => {
          if (!bars.delete(bar)) return;
          if (bars.size === 0) status.hide();
          else status.refresh();
        },
      };
    },
    stop: () => {
      bars.clear();
      status.hide();
    },
  };
};

const drawn = (share: number, length: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * length);
  return "█".repeat(full) + "░".repeat(length - full);
};

/** One row: a part that does not fit is left out whole, the bar and then the least important first. No figure is cut. */
export const barLine = ({ label, unit, total, done, rate, detail }: Bar, columns: number): string => {
  const bar = (length: number): string => drawn(total > 0 ? done / total : 0, length);
  const value = amount(done, total, unit);
  const choices = [[label, bar(24), value, rate, detail], [label, bar(10), value, rate, detail], [label, value, rate, detail], [label, value, detail], [label, value, rate], [label, value]];
  const room = columns - 1; // the last column stays free: no terminal goes on to the next row
  for (const parts of choices) {
    const line = printable(parts.filter((part) => part !== "").join(" "));
    if (columnsOf(line) <= room) return line;
  }
  const short = [shortenText(label, room - columnsOf(value) - 1), value].filter((part) => part !== "").join(" ");
  return columnsOf(short) <= room ? short : bar(Math.max(1, room));
};

/** A line at the start, then when five seconds and at least a tenth, or thirty seconds, have passed. */
const lineReporter = (stream: NodeJS.WriteStream): TerminalReporter => {
  const print = (text: string): void => { stream.write(`${printable(text)}\n`); };
  return {
    line: print,
    warn: (text) => print(`warning: ${text}`),
    task: (label, total, unit): ProgressTask => {
      const rate = new Rate();
      let printedAt = performance.now();
      let printed = 0;
      return {
        update: (done, detail = "") => {
          const waited = performance.now() - printedAt;
          const note = rate.describe(done, total, unit);
          if (waited < 5000 || (done - printed < total / 10 && waited < 30_000)) return;
          printedAt = performance.now();
          printed = done;
          const value = `${amount(done, total, unit)}${unit === "byte" || unit === "second" ? "" : ` ${unit}s`}`;
          print(`${label}: ${value}${note === "" ? "" : `, ${note}`}${detail === "" ? "" : `, ${detail}`}`);
        },
        end: () => undefined,
      };
    },
    stop: () => undefined,
  };
};
