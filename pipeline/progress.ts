import type { BenchmarkHooks } from "../targets/target.ts";

/** One piece of work with a known amount. */
export interface ProgressTask {
  /** `done` of the total so far; `detail` is a short text beside it, such as a loss. */
  update(done: number, detail?: string): void;
  end(): void;
}

/** Where a run tells how far it is. The command line draws it; a program may listen or not. */
export interface Reporter {
  line(text: string): void;
  warn(text: string): void;
  task(label: string, total: number, unit: string): ProgressTask;
}

export const silentReporter: Reporter = {
  line: () => undefined,
  warn: () => undefined,
  task: () => ({ update: () => undefined, end: () => undefined }),
};

/** A task whose total is known only when the first progress arrives: an `onProgress` callback. Call `end` when the work is over. */
export const lazyTask = (reporter: Reporter, label: string, unit: string): { readonly update: (done: number, total: number, detail?: string) => void; readonly end: () => void } => {
  let task: ProgressTask | undefined;
  return {
    update: (done, total, detail) => (task ??= reporter.task(label, total, unit)).update(done, detail),
    end: () => task?.end(),
  };
};

/** A target's callbacks as tasks of a reporter: one for the runs, one for each copy, build or soak. */
export const benchmarkHooks = (reporter: Reporter, label: string, signal: AbortSignal | undefined): { readonly hooks: BenchmarkHooks; readonly end: () => void } => {
  const runs = lazyTask(reporter, label, "round");
  const steps = new Map<string, ReturnType<typeof lazyTask>>();
  const hooks: BenchmarkHooks = {
    signal, onProgress: (done, total) => runs.update(done, total), onNote: (text) => reporter.line(`note: ${text}`),
    onStep: (step, done, total, unit) => {
      const task = steps.get(step) ?? lazyTask(reporter, step, unit);
      steps.set(step, task);
      task.update(done, total);
      if (done < total) return;
      task.end();
      steps.delete(step);
    },
  };
  return { hooks, end: () => { for (const task of [runs, ...steps.values()]) task.end(); } };
};
