type Work<Result> = (signal: AbortSignal) => Promise<Result>;

/** Works that need each other, at once: the first that fails stops the other, which is waited for, and its error is thrown. */
export const together = async <First, Second>(signal: AbortSignal | undefined, first: Work<First>, second: Work<Second>): Promise<[First, Second]> => {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const start = <Result>(work: Work<Result>): Promise<Result> => work(either).catch((error: unknown) => { failed.abort(error); throw error; });
  const both = [start(first), start(second)] as const;
  await Promise.allSettled(both);
  failed.signal.throwIfAborted();
  return Promise.all(both);
};
