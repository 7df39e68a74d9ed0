import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import type { KindContext } from "../kind.ts";
import { cannotMeasure } from "../linux/errors.ts";
import { load } from "../linux/requirements.ts";
import type { BenchmarkHooks, BenchmarkJob } from "../target.ts";
import type { Transport } from "../transport.ts";
import { readBusyCores } from "./busy.ts";
import { clockState, withLockedClocks } from "./clocks.ts";
import type { JetsonPrecision } from "./command.ts";
import { readOverCurrent } from "./device.ts";
import { checkFile, type CheckedFile } from "./model.ts";
import { withTelemetry } from "./monitor.ts";
import { probeJetson, type JetsonProbe } from "./probe.ts";
import { recordOf, soakOf } from "./record.ts";
import { jetsonRequirements } from "./requirements.ts";
import { runnerOf, type Measured, type Runner } from "./runners.ts";
import type { JetsonSettings } from "./settings.ts";
import { releaseText } from "./version.ts";

/** One record per model, precision and batch size, in this order. */
export const benchmarkJetson = async (context: KindContext<JetsonSettings>, job: BenchmarkJob, hooks: BenchmarkHooks): Promise<readonly BenchmarkRecord[]> => {
  const { transport, settings } = context;
  const lockClocks = job.lockClocks ?? settings.lockClocks ?? false;
  const probe = await probeJetson({ transport, settings: { ...settings, lockClocks } }, hooks.signal, jetsonRequirements.filter((requirement) => requirement !== load));
  if (probe.findings.some(({ severity }) => severity === "error")) throw cannotMeasure(settings.name, probe.findings);
  for (const { what } of probe.findings) hooks.onNote?.(`${settings.name}: ${what}`);
  const files: CheckedFile[] = [];
  for (const model of job.models) files.push(await checkFile(model, probe.jetson.tensorrt!, settings));
  const scratch = await mkdtemp(join(tmpdir(), "edgestill-jetson-"));
  try {
    const runner = runnerOf(context, probe.jetson, scratch, hooks);
    const measureAll = (): Promise<BenchmarkRecord[]> => measureFiles(context, probe, runner, files, job, hooks);
    return await (lockClocks ? prepareThenLock(context, runner, files, job, hooks, measureAll) : measureAll());
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

interface Variation {
  readonly file: CheckedFile;
  readonly precision: JetsonPrecision;
  readonly batch: number;
}

const variations = (files: readonly CheckedFile[], { batches = [1] }: BenchmarkJob): Variation[] =>
  files.flatMap((file) => file.precisions.flatMap((precision) => batches.map((batch) => ({ file, precision, batch }))));

/** Engines are built before the clocks are locked: a build takes minutes and its heat is no part of the measurement. */
const prepareThenLock = async ({ transport }: KindContext<JetsonSettings>, runner: Runner, files: readonly CheckedFile[], job: BenchmarkJob, hooks: BenchmarkHooks, work: () => Promise<BenchmarkRecord[]>): Promise<BenchmarkRecord[]> => {
  for (const { file, precision, batch } of variations(files, job)) {
    hooks.signal?.throwIfAborted();
    await runner.prepare({ file, precision, batch, shapes: file.shapes(batch) });
  }
  return withLockedClocks(transport, work);
};

const measureFiles = async ({ transport, settings }: KindContext<JetsonSettings>, { linux, jetson }: JetsonProbe, runner: Runner, files: readonly CheckedFile[], job: BenchmarkJob, hooks: BenchmarkHooks): Promise<BenchmarkRecord[]> => {
  const records: BenchmarkRecord[] = [];
  const all = variations(files, job);
  for (const { file, precision, batch } of all) {
    hooks.signal?.throwIfAborted();
    const wanted = { file, precision, batch, shapes: file.shapes(batch) };
    await runner.prepare(wanted);
    const busyCores = await readBusyCores(transport, hooks.signal);
    const before = await readOverCurrent(transport);
    const { result, telemetry } = await withTelemetry(transport, () => runner.measure(wanted, job.runs, job.seconds));
    const soak = job.soakSeconds ? await soakRun(transport, () => runner.measure(wanted, 1, job.soakSeconds!), batch) : [];
    const after = await readOverCurrent(transport);
    const details = await runner.describe(wanted, result);
    records.push(recordOf({
      settings, linux, jetson, busyCores, clocks: await clockState(transport), telemetry, file, precision, batch, provider: result.provider, warmup: result.warmup, latencyMs: result.latencyMs, warnings: result.warnings, soak,
      overCurrent: Object.fromEntries(Object.entries(after).map(([name, events]) => [name, events - (before[name] ?? 0)])), details,
    }));
    hooks.onProgress?.(records.length, all.length);
  }
  if (job.keepIn !== undefined) await runner.keep(job.keepIn);
  if (jetson.tensorrt) hooks.onNote?.(`${settings.name}: TensorRT ${releaseText(jetson.tensorrt)}, ${jetson.powerMode?.name ?? "unknown power mode"}`);
  return records;
};

const soakRun = async (transport: Transport, work: () => Promise<Measured>, batch: number): Promise<NonNullable<BenchmarkRecord["soak"]>> => {
  const { result, telemetry } = await withTelemetry(transport, work);
  return soakOf(result.startMs, result.latencyMs, batch, telemetry);
};
