import { badAnswer, checkOutputs } from "../device/answer.ts";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutputTensor } from "../../vision/decode.ts";
import type { OutputFacts, PicturesJob } from "../device/job.ts";
import { runOnDevice } from "../device/run.ts";
import { sha256Of } from "../../files/digest.ts";
import type { KindContext, Requirement } from "../kind.ts";
import type { PictureAnswer, PicturesHooks, PicturesTask } from "../pictures.ts";
import { prepare, type LinuxSettings } from "./benchmark.ts";
import { cannotMeasure } from "./errors.ts";
import { probeLinux } from "./probe.ts";
import { findingsOf } from "./requirements.ts";

const slowestPictureSeconds = 20;

/** Runs the models on the pictures with the runner that travels: answers by task, then by picture. Leaves nothing there but what is kept by its hash. */
export const runPicturesLinux = async (context: KindContext<LinuxSettings>, tasks: readonly PicturesTask[], hooks: PicturesHooks, requirements: readonly Requirement[]): Promise<readonly (readonly PictureAnswer[])[]> => {
  const { transport, settings } = context;
  const { signal } = hooks;
  const facts = await probeLinux(transport, settings.node, signal);
  const findings = findingsOf(requirements, facts, settings);
  if (findings.some(({ severity }) => severity === "error")) throw cannotMeasure(settings.name, findings);
  const jobs = `${await transport.cacheFolder()}/job`;
  const scratch = await mkdtemp(join(tmpdir(), "edgestill-pictures-"));
  const send = (path: string, sha256: string, name: string, label: string): Promise<string> =>
    transport.cached(path, sha256, name, { signal, onProgress: (done, total) => hooks.onStep?.(`${label} to ${transport.label}`, done, total, "byte") });
  try {
    const { node, runner } = await prepare(context, facts, scratch, hooks);
    const answers: PictureAnswer[][] = [];
    for (const { name, path, sha256, session, contract, pictures } of tasks) {
      const pixels = Buffer.concat(pictures.map(({ data }) => data));
      const raw = join(scratch, "pictures.rgb");
      await writeFile(raw, pixels);
      const job: PicturesJob = {
        model: await send(path, sha256, "model.onnx", name), pictures: await send(raw, sha256Of(pixels), "pictures.rgb", "pictures"),
        session, contract, sizes: pictures.map(({ width, height }) => [width, height]), outputs: `${jobs}/outputs.bin`,
      };
      const timeoutMs = 1000 * (120 + slowestPictureSeconds * pictures.length);
      const result = await runOnDevice(transport, { node, runner, jobs, job, timeoutMs, label: `${name} on ${settings.name}` }, { signal });
      const local = join(scratch, `outputs-${answers.length}.bin`);
      await transport.download(job.outputs, local, { signal });
      const bytes = await readFile(local);
      if (result.answers.length !== pictures.length) throw badAnswer(name, `${result.answers.length} answers to ${pictures.length} pictures`);
      checkOutputs(result.answers.flatMap(({ outputs }) => outputs), bytes.length, name);
      answers.push(answersOf(result.answers, bytes));
      hooks.onProgress?.(answers.length, tasks.length);
    }
    return answers;
  } finally {
    await transport.run(["rm", "-rf", "--", jobs]).catch(() => undefined); // a broken connection has told its error; the next job replaces the folder's files
    await rm(scratch, { recursive: true, force: true });
  }
};

const answersOf = (facts: readonly { readonly tensorSha256: string; readonly outputs: readonly OutputFacts[] }[], bytes: Buffer): PictureAnswer[] => {
  let offset = 0;
  return facts.map(({ tensorSha256, outputs }) => ({ tensorSha256, outputs: outputs.map((output) => tensorOf(output, bytes.subarray(offset, (offset += output.bytes)))) }));
};

/** Types that a detector's outputs have; others are compared by none of its decoders. */
const arrays: Readonly<Record<string, (buffer: ArrayBuffer) => OutputTensor["data"]>> = {
  float32: (buffer) => new Float32Array(buffer), int64: (buffer) => new BigInt64Array(buffer), int32: (buffer) => new Int32Array(buffer),
};

const tensorOf = ({ name, dtype, shape }: OutputFacts, bytes: Uint8Array): OutputTensor =>
  ({ name, dims: shape, data: (arrays[dtype] ?? ((buffer) => Float32Array.from(new Uint8Array(buffer))))(Uint8Array.from(bytes).buffer) });
