import type { Readable } from "node:stream";
import { z } from "zod";
import { quotedName } from "../escape/names.ts";
import { parseJson } from "../input/json.ts";
import { checkSchema, problemText } from "../input/schema.ts";
import type { WorkerReply, WorkerRequest } from "./protocol.ts";

const number = z.number().nonnegative();
const count = number.int();
const milliseconds = z.array(number);

const replies: { readonly [Kind in WorkerReply["kind"]]: z.ZodType<Extract<WorkerReply, { readonly kind: Kind }>> } = {
  opened: z.object({ kind: z.literal("opened"), warmup: count, busyCores: number.nullable() }),
  round: z.object({ kind: z.literal("round"), inferenceMs: milliseconds.min(1), endToEndMs: milliseconds, memoryBytes: count }),
  failed: z.object({ kind: z.literal("failed"), code: z.string(), message: z.string(), nextStep: z.string() }),
};

/** The reply to `request` in a line, or what is wrong with the line. */
export const readReply = (line: string, request: WorkerRequest): { readonly reply?: WorkerReply; readonly problem?: string } => {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    return { problem: `${quotedName(line.slice(0, 80))} is no JSON` };
  }
  const isFailure = typeof value === "object" && value !== null && "kind" in value && value.kind === "failed";
  const { data, problems } = checkSchema<WorkerReply>(replies[isFailure ? "failed" : request.kind === "open" ? "opened" : "round"], value, "the reply");
  return problems ? { problem: problemText(problems) } : { reply: data };
};

/** Lines that nobody has asked for and that are kept. */
const mostWaiting = 2;

export type NextLine =
  | { readonly kind: "line"; readonly text: string }
  /** The worker ended its output. */
  | { readonly kind: "end" }
  /** Nothing came for so long. */
  | { readonly kind: "silent" }
  /** The line is longer than allowed. */
  | { readonly kind: "endless"; readonly bytes: number };

/** Lines of a worker's output, asked for one at a time; neither a line without end nor silence holds up who waits for one. */
export class ReplyLines {
  readonly #lines: string[] = [];
  readonly #silenceSeconds: number;
  readonly #lineBytes: number;
  #open: string[] = [];
  #openBytes = 0;
  #end: NextLine | undefined;
  #seconds = 0;
  #wake: (() => void) | undefined;

  constructor(output: Readable, { silenceSeconds, lineBytes = 256 * 2 ** 20 }: { readonly silenceSeconds: number; readonly lineBytes?: number }) {
    [this.#silenceSeconds, this.#lineBytes] = [silenceSeconds, lineBytes];
    output.setEncoding("utf8").on("data", (piece: string) => { this.#read(piece); });
    for (const event of ["end", "close", "error"]) output.on(event, () => { this.#close({ kind: "end" }); });
  }

  /** The worker said something elsewhere. */
  heard(): void {
    this.#seconds = 0;
  }

  async next(): Promise<NextLine> {
    this.#seconds = 0;
    // seconds are counted, not read from a clock: while Ctrl-Z holds both processes, nothing is counted
    const clock = setInterval(() => {
      if (++this.#seconds >= this.#silenceSeconds && this.#silenceSeconds > 0) this.#close({ kind: "silent" });
    }, 1000);
    try {
      while (this.#lines.length === 0 && !this.#end) await new Promise<void>((resolve) => { this.#wake = resolve; });
    } finally {
      clearInterval(clock);
    }
    const text = this.#lines.shift();
    return text === undefined ? this.#end! : { kind: "line", text };
  }

  #close(end: NextLine): void {
    this.#end ??= end;
    this.#wake?.();
  }

  #read(piece: string): void {
    if (this.#end) return;
    const [first = "", ...more] = piece.split("\n");
    this.#open.push(first);
    this.#openBytes += first.length;
    for (const start of more) {
      if (this.#lines.length < mostWaiting) this.#lines.push(this.#open.join("")); // a request has one reply: the first one too many is the next, wrong one
      [this.#open, this.#openBytes] = [[start], start.length];
      this.#seconds = 0;
    }
    if (this.#openBytes > this.#lineBytes) this.#close({ kind: "endless", bytes: this.#lineBytes });
    else this.#wake?.();
  }
}
