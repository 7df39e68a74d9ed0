import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { loadDetector } from "../../detection/detector.ts";
import { decodeImage } from "../../vision/image.ts";
import type { DeviceJob } from "../device/job.ts";
import { ownFolder, runOnDevice } from "../device/run.ts";
import { sha256File } from "../../files/digest.ts";
import type { KindContext, Requirement, TargetSettings } from "../kind.ts";
import { installRunner, sendNode, type DeviceArchitecture } from "../payload.ts";
import type { BenchmarkHooks, BenchmarkJob } from "../target.ts";
import { together } from "../together.ts";
import { copyTimeoutMs } from "../transport.ts";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { cannotMeasure, otherArchitecture } from "./errors.ts";
import { compareWithHost } from "./host-outputs.ts";
import { probeLinux, type LinuxFacts } from "./probe.ts";
import { recordOf, type Judge } from "./record.ts";
import { findingsOf } from "./requirements.ts";

export interface LinuxSettings extends TargetSettings {
  readonly host: string;
  /** Path of Node.js on the device. */
  readonly node?: string | undefined;
  /** Node.js of this machine, or an npm package, that travels. */
  readonly sendNode?: string | undefined;
  readonly emulated?: boolean | undefined;
}

/** Longest warm-up of a model. */
const warmupSeconds = 10;
/** Allowed for one run on a slow device, when the time limit is worked out. */
const slowestRunSeconds = 3;

/** Measures on a Linux board with the runner that travels. What the kind adds: its requirements, and its judgement of the readings. */
export const benchmarkLinux = async (context: KindContext<LinuxSettings>, job: BenchmarkJob, hooks: BenchmarkHooks, requirements: readonly Requirement[], judge: Judge): Promise<readonly BenchmarkRecord[]> => {
  const { transport, settings } = context;
  const [facts] = await Promise.all([probeLinux(transport, settings.node, hooks.signal), transport.cacheFolder()]);
  hooks.onMoment?.("probed");
  const findings = findingsOf(requirements, facts, settings);
  if (findings.some(({ severity }) => severity === "error")) throw cannotMeasure(settings.name, findings);
  for (const { what } of findings) hooks.onNote?.(`${settings.name}: ${what}`);
  const scratch = await mkdtemp(join(tmpdir(), "edgestill-send-"));
  try {
    const files = await filesOf(context, job, scratch);
    const jobs = `${await transport.cacheFolder()}/job`;
    const arrived = `${ownFolder(jobs)}/${basename(scratch)}`;
    const [, records] = await together(hooks.signal,
      (signal) => send(context, files, arrived, { ...hooks, signal }),
      async (signal) => measureAll({ ...context, facts, job, judge, scratch, files, jobs, arrived, ...(await prepare(context, facts, scratch, { ...hooks, signal })), hooks: { ...hooks, signal } }));
    return records;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

interface Measuring extends KindContext<LinuxSettings> {
  readonly facts: LinuxFacts;
  readonly job: BenchmarkJob;
  readonly judge: Judge;
  readonly scratch: string;
  readonly files: Files;
  readonly jobs: string;
  /** The file on the device that says that all files are there. */
  readonly arrived: string;
  readonly node: string;
  readonly runner: string;
  readonly hooks: BenchmarkHooks;
}

const measureAll = async ({ transport, settings, facts, job, judge, scratch, files, jobs, arrived, node, runner, hooks }: Measuring): Promise<BenchmarkRecord[]> => {
  const settingsOf = variations(job, settings, facts);
  const records: BenchmarkRecord[] = [];
  const total = job.models.length * settingsOf.length;
  for (const [index, model] of job.models.entries()) {
    for (const { threads, batch } of settingsOf) {
      hooks.signal?.throwIfAborted();
      const file = files.models[index]!;
      const outputs = `${jobs}/outputs.bin`;
      const deviceJob: DeviceJob = {
        model: file.model, awaited: records.length === 0 ? arrived : null, session: { ...model.session, threads }, batch, runs: job.runs, seconds: job.seconds, warmupSeconds, soakSeconds: job.soakSeconds ?? 0,
        detector: batch === 1 ? file.detector : null, outputs,
      };
      const timeoutMs = (records.length === 0 ? copyTimeoutMs : 0) + 1000 * (120 + 2 * (job.seconds + warmupSeconds) + (job.soakSeconds ?? 0) + slowestRunSeconds * job.runs);
      const result = await runOnDevice(transport, { node, runner, jobs, job: deviceJob, timeoutMs, label: `${model.name} on ${settings.name}` }, {
        ...hooks, onProgress: (done, of) => hooks.onProgress?.(records.length * of + done, total * of),
      });
      const againstHost = await compareWithHost(model, transport, outputs, result, join(scratch, `outputs-${records.length}.bin`), batch, file.detector?.contract.size);
      records.push(recordOf({ settings, facts, model, threads, batch, result, againstHost, judge, emulated: facts.emulated || settings.emulated === true }));
    }
  }
  return records;
};

/** Node.js and the runner on the device; what is missing is copied. */
export const prepare = async ({ transport, settings }: KindContext<LinuxSettings>, facts: LinuxFacts, scratch: string, hooks: BenchmarkHooks) => {
  const node = settings.sendNode === undefined ? facts.node!.path : await sendNode(transport, settings.sendNode, scratch, hooks);
  const architecture = settings.sendNode === undefined ? facts.nodeArchitecture : (await transport.run([node, "-p", "process.arch"], { signal: hooks.signal })).stdout.trim();
  if (architecture !== "arm64" && architecture !== "x64") throw otherArchitecture(settings.name, architecture);
  const runner = await installRunner(transport, architecture satisfies DeviceArchitecture, facts.kept, scratch, hooks);
  hooks.onMoment?.("runner copied");
  return { node, runner };
};

interface Copy {
  readonly local: string;
  readonly sha256: string;
  readonly name: string;
  readonly label: string;
  /** Its path on the device. */
  readonly remote: string;
}

interface Files {
  readonly copies: readonly Copy[];
  /** Model by model. */
  readonly models: readonly Pick<DeviceJob, "model" | "detector">[];
}

/** What must be on the device, and where it will be. */
const filesOf = async ({ transport }: KindContext<LinuxSettings>, job: BenchmarkJob, scratch: string): Promise<Files> => {
  const copyOf = async (local: string, sha256: string, name: string, label: string): Promise<Copy> => ({ local, sha256, name, label, remote: await transport.cachedPath(sha256, name) });
  const picture = job.picture === undefined ? undefined : await pixelsOf(job.picture, join(scratch, "picture.rgb"));
  const pixels = picture && (await copyOf(picture.path, picture.sha256, "picture.rgb", "picture"));
  const copies: Copy[] = pixels ? [pixels] : [];
  const models: Files["models"][number][] = [];
  for (const { path, sha256, name } of job.models) {
    const detector = picture && (await loadDetector(path, { probe: false }).catch(() => undefined)); // a file that is no detector is timed alone
    const copy = await copyOf(path, sha256, "model.onnx", name);
    copies.push(copy);
    models.push({
      model: copy.remote,
      detector: detector && picture && pixels ? { head: detector.head, contract: detector.contract, picture: pixels.remote, width: picture.width, height: picture.height } : null,
    });
  }
  return { copies, models };
};

/** A camera gives pixels, not a JPEG: the picture is decoded here, into `raw`. */
const pixelsOf = async (path: string, raw: string) => {
  const { data, width, height } = await decodeImage(path);
  await writeFile(raw, data);
  return { path: raw, sha256: await sha256File(raw), width, height };
};

const send = async ({ transport }: KindContext<LinuxSettings>, { copies }: Files, arrived: string, hooks: BenchmarkHooks): Promise<void> => {
  for (const [index, { local, sha256, name, label }] of copies.entries()) {
    const announce = index === copies.length - 1 ? { announce: arrived } : {};
    await transport.cached(local, sha256, name, { ...announce, signal: hooks.signal, onProgress: (done, total) => hooks.onStep?.(`${label} to ${transport.label}`, done, total, "byte") });
  }
  hooks.onMoment?.("models copied");
};

const variations = ({ threads, batches = [1] }: BenchmarkJob, settings: LinuxSettings, { cores }: LinuxFacts): { readonly threads: number; readonly batch: number }[] => {
  const all = cores ?? 1;
  const counts = threads === "sweep" ? Array.from({ length: all }, (_, index) => index + 1) : [threads ?? settings.threads ?? all];
  return counts.flatMap((count) => batches.map((batch) => ({ threads: count, batch })));
};

