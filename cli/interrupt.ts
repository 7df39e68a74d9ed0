/** The reason of an abort that Ctrl-C or a TERM signal caused. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/** A signal that Ctrl-C (SIGINT) or SIGTERM aborts, with a word through `say`: the work stops after its present step. A second one ends the process at once. */
export const interruptSignal = (say: (text: string) => void): AbortSignal => {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    say("stopping after the present step (again to stop at once) …");
    controller.abort(new Interrupted());
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
};
