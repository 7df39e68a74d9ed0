import type { SessionOptions } from "../runtime/session.ts";

/** Between targets/local.ts and its worker processes: one JSON line per request, one per reply. */
export type WorkerRequest =
  | { readonly kind: "open"; readonly path: string; readonly session: SessionOptions; readonly batch: number; readonly picture: string | null }
  | { readonly kind: "round"; readonly runs: number; readonly seconds: number };

export type WorkerReply =
  | { readonly kind: "opened"; readonly warmup: number; readonly busyCores: number | null }
  | { readonly kind: "round"; readonly inferenceMs: readonly number[]; readonly endToEndMs: readonly number[]; readonly memoryBytes: number }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly nextStep: string };

/** Longest warm-up of a model, in seconds. */
export const warmupSeconds = 10;

/** Beside stdin and stdout: where the worker tells what native code does, and a pipe that closes with the process that asks. */
export const [workDescriptor, lifeDescriptor] = [3, 4] as const;
