import { Socket } from "node:net";

/** The reason of an abort that Ctrl-C or a TERM signal caused. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/** How often a user asked to stop: signals that came here, and those that the watching process says it got. Ctrl-C counts in both, so the larger number holds. */
const asked = { here: 0, there: 0 };
/** What a stop does before a command can end in good order. */
let onStop = (): void => { process.exit(130); };

/** A signal that Ctrl-C (SIGINT) or SIGTERM aborts, with a word through `say`: the work stops after its present step. A second one ends the process at once. */
export const interruptSignal = (say: (text: string) => void): AbortSignal => {
  const controller = new AbortController();
  onStop = (): void => {
    if (Math.max(asked.here, asked.there) > 1) process.exit(130);
    if (controller.signal.aborted) return;
    say("stopping after the present step (again to stop at once) …");
    controller.abort(new Interrupted());
  };
  const stop = (): void => {
    asked.here++;
    onStop();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
};

/** Hears from the watching process how often it was asked to stop, and ends this one when the watching process is gone. Keeps no process alive. */
export const listenForStops = (descriptor: number): void => {
  const end = (): void => { process.kill(process.pid, "SIGKILL"); };
  new Socket({ fd: descriptor, readable: true, writable: false }).on("error", end).on("close", end).on("data", (piece: Buffer) => {
    asked.there = Number(piece.toString().trim().split("\n").at(-1));
    onStop();
  }).unref();
  process.on("SIGHUP", () => undefined); // the watching process dies of it, or ignores it (nohup), for both
};
