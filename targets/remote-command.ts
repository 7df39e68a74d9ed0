import { execa } from "execa";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../graph/error.ts";
import { deviceLimits, mebibytes } from "../input/limits.ts";
import { exitMarker, fedScript, silenceSeconds, watchedScript } from "./shell.ts";
import type { RunOptions, RunResult } from "./transport.ts";

/** How a command line reaches the device, and what went wrong when it did not. */
export interface Connection {
  readonly label: string;
  /** The local command that runs `argv` on the device. */
  command(argv: readonly string[]): readonly [program: string, ...args: string[]];
  /** The error of a command whose end was not reported. */
  explain(exitCode: number | undefined, stderr: string): UserError;
  close(): Promise<void>;
}

/** Longest wait for a device to end a command before the connection is cut. */
const endingMs = 4500;
const keptCharacters = deviceLimits.outputBytes;

interface Limits {
  readonly bytes: number;
  readonly exceeded: (bytes: number) => UserError;
}

/** Runs a command on the device, tied to the connection: it ends with its time limit, with the signal, and when the connection breaks. */
export const runOn = async (connection: Connection, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
  const { timeoutMs = 60_000, signal, input, onLine, onBytes } = options;
  signal?.throwIfAborted();
  const limitSeconds = Math.ceil(timeoutMs / 1000) + 10;
  const [program, ...args] = connection.command(["sh", "-c", input === undefined ? watchedScript : fedScript, "edgestill", String(limitSeconds), ...argv]);
  const child = execa(program, args, {
    stdin: "pipe", stdout: "pipe", stderr: "pipe", buffer: false, reject: false, cleanup: true, detached: true,
  });
  child.stdin.on("error", () => undefined); // EPIPE: the end of the command tells more
  const ending = endBy(child, timeoutMs, signal, input === undefined);
  const limits: Limits = { bytes: onLine ? deviceLimits.streamedBytes : deviceLimits.outputBytes, exceeded: (bytes) => tooMuch(connection.label, argv, bytes) };
  let answer: (line: string | undefined) => void = () => undefined;
  const firstLine = new Promise<string | undefined>((resolve) => { answer = resolve; });
  const feeding = input === undefined ? undefined : feed(child.stdin, typeof input === "function" ? input(firstLine) : input);
  const stdout = (onBytes ? drain(child.stdout, onBytes) : lines(child.stdout, (line) => { answer(line); onLine?.(line, "stdout"); }, limits)).catch((error: unknown) => { ending.fail(error); return ""; }).finally(() => { answer(undefined); });
  const status: { code?: number } = {};
  const stderr = lines(child.stderr, (line) => {
    if (line.startsWith(exitMarker)) status.code = Number(line.slice(exitMarker.length));
    else if (line !== "") onLine?.(line, "stderr");
  }, limits).catch((error: unknown) => { ending.fail(error); return ""; });
  try {
    const [outText, errText, result] = await Promise.all([stdout, stderr, child, feeding?.catch((error: unknown) => { ending.fail(error); })]);
    signal?.throwIfAborted();
    if (ending.error !== undefined) throw ending.error;
    if (ending.timedOut) throw timedOut(connection.label, argv, timeoutMs);
    if (status.code === undefined) throw connection.explain(result.exitCode, result.code === "ENOENT" ? `${program}: not found` : errText);
    return { exitCode: status.code, stdout: outText, stderr: withoutMarker(errText) };
  } finally {
    ending.stop();
  }
};

interface Ending {
  timedOut: boolean;
  error: Error | undefined;
  fail(error: unknown): void;
  stop(): void;
}

interface Child {
  readonly stdin: NodeJS.WritableStream;
  readonly kill: (signal: NodeJS.Signals) => boolean;
}

/** Keeps the command alive with dots, and ends it: the input first, so that the device ends it, then the local program. */
const endBy = (child: Child, timeoutMs: number, signal: AbortSignal | undefined, watched: boolean): Ending => {
  let kill: NodeJS.Timeout | undefined;
  const beat = watched ? setInterval(() => { child.stdin.write("."); }, (1000 * silenceSeconds) / 4) : undefined;
  if (watched) child.stdin.write(".");
  const end = (): void => {
    clearInterval(beat);
    if (watched) child.stdin.end();
    else child.kill("SIGTERM");
    kill ??= setTimeout(() => child.kill("SIGKILL"), endingMs);
  };
  const limit = setTimeout(() => { ending.timedOut = true; end(); }, timeoutMs);
  const ending: Ending = {
    timedOut: false, error: undefined,
    fail: (error) => { ending.error ??= error instanceof Error ? error : new Error(String(error)); end(); },
    stop: () => {
      clearTimeout(limit);
      clearTimeout(kill);
      clearInterval(beat);
      signal?.removeEventListener("abort", end);
    },
  };
  signal?.addEventListener("abort", end, { once: true });
  return ending;
};

const feed = (stdin: Writable, input: string | AsyncIterable<Uint8Array>): Promise<void> =>
  pipeline(Readable.from(typeof input === "string" ? [input] : input, { objectMode: false }), stdin)
    .catch((error: unknown) => { if (!isClosedPipe(error)) throw error; });

/** The command ended before it had read all: its exit code tells why. */
const isClosedPipe = (error: unknown): boolean => error instanceof Error && "code" in error && ["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"].includes(String(error.code));

const drain = async (stream: Readable, onBytes: (chunk: Uint8Array) => void | Promise<void>): Promise<string> => {
  for await (const chunk of stream) await onBytes(chunk as Uint8Array);
  return "";
};

const lines = async (stream: Readable, onLine: (line: string) => void, limits: Limits): Promise<string> => {
  const decoder = new TextDecoder();
  let [kept, received, openLength] = [0, 0, 0];
  const [text, open]: [string[], string[]] = [[], []];
  for await (const chunk of stream) {
    const piece = decoder.decode(chunk as Uint8Array, { stream: true });
    received += (chunk as Uint8Array).length;
    if (received > limits.bytes || openLength > deviceLimits.lineBytes) throw limits.exceeded(received);
    if (kept < keptCharacters) text.push(piece);
    kept += piece.length;
    const found = piece.split("\n");
    open.push(found[0]!);
    openLength += found[0]!.length;
    if (found.length === 1) continue;
    onLine(open.join(""));
    for (const line of found.slice(1, -1)) onLine(line);
    open.splice(0, open.length, found.at(-1)!);
    openLength = found.at(-1)!.length;
  }
  const last = open.join("");
  if (last !== "") onLine(last);
  return text.join("");
};

const withoutMarker = (text: string): string => text.replace(new RegExp(`\\n${exitMarker}\\d+\\n$`), "");

const tooMuch = (label: string, argv: readonly string[], bytes: number): UserError =>
  new UserError("DEVICE_ANSWER", `${label}: ${argv[0]} answered ${mebibytes(bytes)} and more, or a line without end, and was stopped.`, "run the command on the device by hand and see what it prints; `edgestill targets check` looks at its tools.");

const timedOut = (label: string, argv: readonly string[], timeoutMs: number): UserError =>
  new UserError("REMOTE_TIMEOUT", `${label}: ${argv[0]} did not end within ${Math.round(timeoutMs / 1000)} s and was stopped there.`,
    "check the load of the device (`uptime`), or measure fewer runs.");
