import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "../../graph/error.ts";
import { Tensor } from "../../graph/tensor.ts";
import { openFileSession, type Session } from "../../runtime/file-session.ts";
import type { OutputTensor } from "../../vision/decode.ts";
import { detect, predictionOptions } from "../../vision/detect.ts";
import { fit, letterbox8, toTensor } from "../../vision/preprocess.ts";
import { patternFeeds } from "../feeds.ts";
import { rounds, soak, timeFor, warmUp, type Work } from "../measure.ts";
import type { Moment } from "../target.ts";
import { watchCores } from "./busy.ts";
import type { DeviceJob, DeviceReply, DeviceResult, OutputFacts, PicturesJob } from "./job.ts";
import { runPictures } from "./pictures.ts";
import { sensorReader } from "./sensors.ts";

/** The program that travels: measures one model, or runs it on pictures, as job.json says, and prints JSON lines. Bundled into one file by bundle.ts. */

const say = (reply: DeviceReply): void => { process.stdout.write(`${JSON.stringify(reply)}\n`); };

const arrivalMs = 10;

const reached = (moment: Moment): void => say({ kind: "moment", moment });

const measure = async (job: DeviceJob): Promise<DeviceResult> => {
  while (job.awaited !== null && !existsSync(job.awaited)) await wait(arrivalMs);
  const started = performance.now();
  const otherWork = watchCores();
  const sensors = sensorReader(started);
  const rssBefore = process.memoryUsage.rss();
  const session = await openFileSession(job.model, job.session);
  reached("model opened");
  const feeds = patternFeeds(session, job.batch, job.detector?.contract.size);
  const infer: Work = () => session.run(feeds);
  const outputs = job.outputs === null ? [] : writeOutputs(job.outputs, await session.run(feeds));
  const busyCores = await otherWork();
  const warmup = await warmUp(infer, job.warmupSeconds);
  const fromPixels = job.detector ? pixelsToBoxes(session, job.detector) : undefined;
  if (fromPixels) await warmUp(fromPixels, job.warmupSeconds / 4);
  sensors.read(true);
  reached("measuring");
  const roundsMs: number[][] = [];
  const endToEndMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    roundsMs.push(await timeFor(infer, Math.ceil(job.runs / rounds), job.seconds / rounds, () => sensors.read()));
    for (const time of fromPixels ? await timeFor(fromPixels, Math.ceil(job.runs / rounds / 4), job.seconds / rounds / 4, () => sensors.read()) : []) endToEndMs.push(time);
    say({ kind: "progress", done: round + 1, total: rounds, what: "measuring" });
  }
  sensors.read(true);
  const points = await soak((seconds) => timeFor(infer, 1, seconds, () => sensors.read()), job.soakSeconds, job.batch, sensors,
    (seconds) => say({ kind: "progress", done: seconds, total: job.soakSeconds, what: "soak" }));
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - rssBefore);
  return {
    kind: "result", warmup, busyCores, roundsMs, endToEndMs, memoryBytes, sensors: sensors.readings, soak: points, outputs,
    node: process.version, onnxruntime: runtimeVersion(), architecture: process.arch,
  };
};

const pixelsToBoxes = (session: Session, { head, contract, picture, width, height }: NonNullable<DeviceJob["detector"]>): Work => {
  const image = { width, height, channels: 3 as const, data: new Uint8Array(readFileSync(picture)) };
  const [w, h] = contract.size;
  return async () => {
    const values = new Float32Array(3 * w * h);
    toTensor(letterbox8(image, contract).data, contract, values, 0);
    const results = await session.run({ [session.inputs[0]!.name]: Tensor.of("float32", [1, 3, h, w], values) });
    const tensors = Object.entries(results).map(([name, tensor]): OutputTensor => ({ name, dims: tensor.shape, data: tensor.data as Float32Array }));
    return detect(head, tensors, 0, fit(contract, width, height), predictionOptions);
  };
};

const writeOutputs = (path: string, results: Readonly<Record<string, Tensor>>): OutputFacts[] => {
  const parts = Object.entries(results).map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }));
  writeFileSync(path, Buffer.concat(parts.map(({ bytes }) => bytes)));
  return parts.map(({ bytes, ...facts }) => ({ ...facts, bytes: bytes.length }));
};

const runtimeVersion = (): string => (createRequire(import.meta.url)("onnxruntime-node/package.json") as { readonly version: string }).version;

const failure = (error: unknown): DeviceReply =>
  error instanceof UserError
    ? { kind: "failed", code: error.code, message: error.message, nextStep: error.nextStep }
    : { kind: "failed", code: "", message: error instanceof Error ? (error.stack ?? error.message) : String(error), nextStep: "" };

reached("runner started");
const job = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as DeviceJob | PicturesJob;
say(await ("pictures" in job ? runPictures(job) : measure(job)).catch(failure));
