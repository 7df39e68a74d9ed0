import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadDetector } from "../../detection/detector.ts";
import { decodeImage } from "../../vision/image.ts";
import { runnerFile } from "../device/bundle.ts";
import type { DeviceJob } from "../device/job.ts";
import { runOnDevice } from "../device/run.ts";
import { sha256File } from "../digest.ts";
import type { KindContext, Requirement, TargetSettings } from "../kind.ts";
import { installRuntime, sendNode, type DeviceArchitecture } from "../payload.ts";
import type { BenchmarkHooks, BenchmarkJob } from "../target.ts";
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
  const facts = await probeLinux(transport, settings.node, hooks.signal);
  const findings = findingsOf(requirements, facts, settings);
  if (findings.some(({ severity }) => severity === "error")) throw cannotMeasure(settings.name, findings);
  for (const { what } of findings) hooks.onNote?.(`${settings.name}: ${what}`);
  const scratch = await mkdtemp(join(tmpdir(), "edgestill-send-"));
  try {
    const ready = await prepare(context, facts, scratch, hooks);
    const files = await sendFiles(context, job, scratch, hooks);
    const settingsOf = variations(job, settings, facts);
    const records: BenchmarkRecord[] = [];
    const total = job.models.length * settingsOf.length;
    for (const [index, model] of job.models.entries()) {
      for (const { threads, batch } of settingsOf) {
        hooks.signal?.throwIfAborted();
        const file = files[index]!;
        const outputs = `${ready.jobs}/outputs.bin`;
        const deviceJob: DeviceJob = {
          model: file.model, session: { ...model.session, threads }, batch, runs: job.runs, seconds: job.seconds, warmupSeconds, soakSeconds: job.soakSeconds ?? 0,
          detector: batch === 1 ? file.detector : null, outputs,
        };
        const timeoutMs = 1000 * (120 + 2 * (job.seconds + warmupSeconds) + (job.soakSeconds ?? 0) + slowestRunSeconds * job.runs);
        const result = await runOnDevice(transport, { ...ready, job: deviceJob, timeoutMs, label: `${model.name} on ${settings.name}` }, {
          ...hooks, onProgress: (done, of) => hooks.onProgress?.(records.length * of + done, total * of),
        });
        const againstHost = await compareWithHost(model, transport, outputs, result, join(scratch, `outputs-${records.length}.bin`), batch, file.detector?.contract.size);
        records.push(recordOf({ settings, facts, model, threads, batch, result, againstHost, judge, emulated: facts.emulated || settings.emulated === true }));
      }
    }
    return records;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

/** Node.js and the runner on the device; what is missing is copied. */
export const prepare = async ({ transport, settings }: KindContext<LinuxSettings>, facts: LinuxFacts, scratch: string, hooks: BenchmarkHooks) => {
  const node = settings.sendNode === undefined ? facts.node!.path : await sendNode(transport, settings.sendNode, scratch, hooks);
  const architecture = settings.sendNode === undefined ? facts.nodeArchitecture : (await transport.run([node, "-p", "process.arch"], { signal: hooks.signal })).stdout.trim();
  if (architecture !== "arm64" && architecture !== "x64") throw otherArchitecture(settings.name, architecture);
  const folder = await installRuntime(transport, architecture satisfies DeviceArchitecture, scratch, hooks);
  const runner = await runnerFile(join(scratch, "runner.mjs"));
  const remoteRunner = `${folder}/runner-${(await sha256File(runner)).slice(0, 12)}.mjs`;
  await transport.upload(runner, remoteRunner, { signal: hooks.signal });
  return { node, runner: remoteRunner, jobs: `${await transport.cacheFolder()}/job` };
};

interface SentFile {
  readonly model: string;
  readonly detector: DeviceJob["detector"];
}

const sendFiles = async ({ transport }: KindContext<LinuxSettings>, job: BenchmarkJob, scratch: string, hooks: BenchmarkHooks): Promise<SentFile[]> => {
  const send = (path: string, sha256: string, name: string, label: string): Promise<string> =>
    transport.cached(path, sha256, name, { signal: hooks.signal, onProgress: (done, total) => hooks.onStep?.(`${label} to ${transport.label}`, done, total, "byte") });
  const picture = job.picture === undefined ? undefined : await sendPicture(job.picture, scratch, send);
  const files: SentFile[] = [];
  for (const { path, sha256, name } of job.models) {
    const detector = picture && (await loadDetector(path).catch(() => undefined)); // a file that is no detector is timed alone
    files.push({ model: await send(path, sha256, "model.onnx", name), detector: detector && picture ? { head: detector.head, contract: detector.contract, ...picture } : null });
  }
  return files;
};

/** A camera gives pixels, not a JPEG: the picture is decoded here. */
const sendPicture = async (path: string, scratch: string, send: (path: string, sha256: string, name: string, label: string) => Promise<string>) => {
  const { data, width, height } = await decodeImage(path);
  const raw = join(scratch, "picture.rgb");
  await writeFile(raw, data);
  return { picture: await send(raw, await sha256File(raw), "picture.rgb", "picture"), width, height };
};

const variations = ({ threads, batches = [1] }: BenchmarkJob, settings: LinuxSettings, { cores }: LinuxFacts): { readonly threads: number; readonly batch: number }[] => {
  const all = cores ?? 1;
  const counts = threads === "sweep" ? Array.from({ length: all }, (_, index) => index + 1) : [threads ?? settings.threads ?? all];
  return counts.flatMap((count) => batches.map((batch) => ({ threads: count, batch })));
};

