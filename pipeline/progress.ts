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
