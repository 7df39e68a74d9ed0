import { readFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { loadDetector, type DetectorModel } from "../detection/detector.ts";
import { watchCores } from "./device/busy.ts";
import { setMemoryBudget } from "../graph/budget.ts";
import { UserError } from "../graph/error.ts";
import { Tensor } from "../graph/tensor.ts";
import { openSession, type Session } from "../runtime/session.ts";
import { tellParent } from "../runtime/tell-parent.ts";
import type { OutputTensor } from "../vision/decode.ts";
import { patternFeeds } from "./feeds.ts";
import { timeFor, warmUp } from "./measure.ts";
import { lifeDescriptor, warmupSeconds, workDescriptor, type WorkerReply, type WorkerRequest } from "./protocol.ts";
import { decodeImage, detect, fit, letterbox8, predictionOptions, toTensor } from "../vision/index.ts";

interface Opened {
  readonly infer: () => Promise<unknown>;
  readonly endToEnd: (() => Promise<unknown>) | undefined;
}

setMemoryBudget(Number(process.argv[2]));

let opened: Opened | undefined;
let rssBefore = 0;

const open = async ({ path, session: options, batch, picture }: Extract<WorkerRequest, { kind: "open" }>): Promise<WorkerReply> => {
  const model = picture === null || batch !== 1 ? undefined : await loadDetector(path, { probe: false }).catch(() => undefined);
  const bytes = picture === null ? undefined : await readFile(picture);
  globalThis.gc?.();
  rssBefore = process.memoryUsage.rss();
  const otherWork = watchCores();
  const session = await openSession(path, options);
  const feeds = patternFeeds(session, batch, model?.contract.size);
  opened = { infer: () => session.run(feeds), endToEnd: model && bytes ? () => fromPicture(session, model, bytes) : undefined };
  const busyCores = await otherWork();
  const warmup = await warmUp(opened.infer, warmupSeconds);
  if (opened.endToEnd) await warmUp(opened.endToEnd, warmupSeconds / 4);
  return { kind: "opened", warmup, busyCores };
};

/** Camera to boxes: decode the JPEG, letterbox, infer, decode the head, NMS. */
const fromPicture = async (session: Session, model: DetectorModel, bytes: Uint8Array): Promise<unknown> => {
  const image = await decodeImage(bytes);
  const [width, height] = model.contract.size;
  const values = new Float32Array(3 * width * height);
  toTensor(letterbox8(image, model.contract).data, model.contract, values, 0);
  const results = await session.run({ [session.inputs[0]!.name]: Tensor.of("float32", [1, 3, height, width], values) });
  const outputs = Object.entries(results).map(([name, tensor]): OutputTensor => ({ name, dims: tensor.shape, data: tensor.data as Float32Array }));
  return detect(model.head, outputs, 0, fit(model.contract, image.width, image.height), predictionOptions);
};

const round = async ({ runs, seconds }: Extract<WorkerRequest, { kind: "round" }>): Promise<WorkerReply> => {
  const { infer, endToEnd } = opened!;
  const inferenceMs = await timeFor(infer, runs, seconds);
  const endToEndMs = endToEnd ? await timeFor(endToEnd, Math.max(1, Math.ceil(runs / 4)), seconds / 4) : [];
  return { kind: "round", inferenceMs, endToEndMs, memoryBytes: Math.max(0, process.memoryUsage.rss() - rssBefore) };
};

const failure = (error: unknown): WorkerReply =>
  error instanceof UserError
    ? { kind: "failed", code: error.code, message: error.message, nextStep: error.nextStep }
    : { kind: "failed", code: "", message: error instanceof Error ? (error.stack ?? error.message) : String(error), nextStep: "" };

tellParent(workDescriptor, lifeDescriptor, 1000); // a line a second: what is told is not measured
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as WorkerRequest;
  const reply = await (request.kind === "open" ? open(request) : round(request)).catch(failure);
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
