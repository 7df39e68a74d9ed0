import type { z } from "zod";
import type { BenchmarkRecord } from "../pipeline/result.ts";
import type { PictureAnswer, PicturesHooks, PicturesTask } from "./pictures.ts";
import type { BenchmarkHooks, BenchmarkJob } from "./target.ts";
import type { Transport } from "./transport.ts";

/** What is known of a device; null where the device does not say. */
export interface DeviceFacts {
  readonly hostname: string | null;
  /** Of the board: "Raspberry Pi 5 Model B Rev 1.0". */
  readonly model: string | null;
  /** Of the kernel, as `uname -m` says. */
  readonly kernelArchitecture: string | null;
  /** Of the userland: "arm64", "armhf", "amd64"; what decides which programs run. */
  readonly architecture: string | null;
  readonly wordBits: number | null;
  readonly os: string | null;
  readonly kernel: string | null;
  readonly cpu: string | null;
  readonly cores: number | null;
  readonly cpuFeatures: readonly string[];
  readonly memoryBytes: number | null;
  readonly freeMemoryBytes: number | null;
  readonly freeDiskBytes: number | null;
  readonly loadAverage: number | null;
  readonly glibc: string | null;
  /** Path and version of the Node.js that is used. */
  readonly node: { readonly path: string; readonly version: string } | null;
  readonly governor: string | null;
  readonly clockMHz: number | null;
  readonly maxClockMHz: number | null;
  readonly temperatureC: number | null;
  /** vcgencmd get_throttled, as read (hexadecimal). */
  readonly throttledBits: string | null;
  readonly emulated: boolean;
  /** What only this kind of device has, by name: JetPack, TensorRT, trtexec, power mode. */
  readonly more: Readonly<Record<string, string | null>>;
}

/** Something that a device lacks. `error`: a benchmark cannot run; `warning`: it runs, but its figures suffer. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly what: string;
  /** The command, run on the device unless it says otherwise, that mends it. */
  readonly fix: string;
}

export interface Probe {
  readonly facts: DeviceFacts;
  readonly findings: readonly Finding[];
}

/** A row of checks: the finding, or undefined where the device has what is needed. */
export type Requirement = (facts: DeviceFacts, settings: TargetSettings) => Finding | undefined;

/** One entry of the inventory, defaults filled in: what all kinds have. Each kind's schema adds its own. */
export interface TargetSettings {
  readonly name: string;
  readonly kind: string;
  /** As for ssh: "pi@pi5.local" or an alias of ~/.ssh/config. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly identity?: string | undefined;
  readonly sshConfig?: string | undefined;
  readonly threads?: number | undefined;
}

/** An open device, its lock held during `benchmark`. */
export interface KindContext<Settings extends TargetSettings = TargetSettings> {
  readonly settings: Settings;
  readonly transport: Transport;
}

/** A kind of device: one row of targets/kinds.ts, from one file of its folder. */
export interface TargetKind<Settings extends TargetSettings = TargetSettings> {
  readonly name: Settings["kind"];
  /** Whose int8 files run there. */
  readonly runtime: "cpu" | "tensorrt";
  /** Entry of the inventory: z.strictObject({...commonFields, kind: z.literal(name), …}). */
  readonly schema: z.ZodType<Settings>;
  /** Facts and what is missing; one or two round trips. */
  probe(context: KindContext<Settings>, signal?: AbortSignal): Promise<Probe>;
  /** One record per model, thread count and batch size, in this order. Probes by itself and throws UserError where an `error` finding stands in the way. */
  benchmark(context: KindContext<Settings>, job: BenchmarkJob, hooks?: BenchmarkHooks): Promise<readonly BenchmarkRecord[]>;
  /** Answers by task, then by picture. Absent where nothing on such a device computes what a model file states under its session settings. */
  runPictures?(context: KindContext<Settings>, tasks: readonly PicturesTask[], hooks: PicturesHooks): Promise<readonly (readonly PictureAnswer[])[]>;
  readonly requirements: readonly Requirement[];
}
