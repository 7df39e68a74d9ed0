import { MultiBar, Presets, type SingleBar } from "cli-progress";
import type { ProgressTask, Reporter } from "../pipeline/progress.ts";

/** Bars with rate and time left on a terminal; plain lines, now and then, in a pipe. All to stderr. */
export const terminalReporter = (stream: NodeJS.WriteStream = process.stderr): Reporter & { readonly stop: () => void } => (stream.isTTY ? barReporter(stream) : lineReporter(stream));

/** Steps per second since the first update: a resumed task does not count what was done before. */
class Rate {
  readonly #started = performance.now();
  #first: number | undefined;

  describe(done: number, total: number, unit: string): string {
    this.#first ??= done;
    const seconds = (performance.now() - this.#started) / 1000;
    const perSecond = (done - this.#first) / seconds;
    if (!(perSecond > 0)) return "";
    return `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)} ${unit}s/s, ${clock((total - done) / perSecond)} left`;
  }
}

const clock = (seconds: number): string => {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
};

const barReporter = (stream: NodeJS.WriteStream): Reporter & { readonly stop: () => void } => {
  let bars: MultiBar | undefined;
  const active = new Set<SingleBar>();
  const open = (): MultiBar => (bars ??= new MultiBar({
    stream, hideCursor: true, clearOnComplete: true, barsize: 24, fps: 5, linewrap: false, emptyOnZero: true,
    format: "{label} {bar} {value}/{total} {rate} {detail}",
  }, Presets.shades_classic));
  const close = (): void => {
    bars?.stop();
    bars = undefined;
    active.clear();
  };
  const print = (text: string): void => {
    if (bars) bars.log(`${text}\n`);
    else stream.write(`${text}\n`);
  };
  return {
    line: print,
    warn: (text) => print(`warning: ${text}`),
    task: (label, total, unit): ProgressTask => {
      const rate = new Rate();
      const bar = open().create(total, 0, { label, rate: "", detail: "" });
      active.add(bar);
      return {
        update: (done, detail = "") => bar.update(done, { rate: rate.describe(done, total, unit), detail }),
        end: () => {
          bars?.remove(bar);
          active.delete(bar);
          if (active.size === 0) close();
        },
      };
    },
    stop: close,
  };
};

/** A line at the start, then when five seconds and at least a tenth, or thirty seconds, have passed. */
const lineReporter = (stream: NodeJS.WriteStream): Reporter & { readonly stop: () => void } => {
  const print = (text: string): void => { stream.write(`${text}\n`); };
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
          print(`${label}: ${done}/${total} ${unit}s${note === "" ? "" : `, ${note}`}${detail === "" ? "" : `, ${detail}`}`);
        },
        end: () => undefined,
      };
    },
    stop: () => undefined,
  };
};
