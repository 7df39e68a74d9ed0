import { test } from "uvu";
import * as assert from "uvu/assert";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { loadModel } from "../../onnx/load.ts";
import { saveModel } from "../../onnx/save.ts";
import { benchModels } from "../../pipeline/models/bench.ts";
import { exactSession, precisionOf, sessionKey } from "../../pipeline/models/session.ts";
import { quantizeModel } from "../../pipeline/quantize/quantize.ts";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { Tensor } from "../../graph/tensor.ts";
import { sha256File } from "../../files/digest.ts";
import { localTransport } from "../../targets/local-transport.ts";
import { rpiKind } from "../../targets/rpi/kind.ts";
import type { BenchmarkHooks, BenchmarkJob, BenchmarkModel } from "../../targets/target.ts";
import { seededNumbers } from "../helpers/models.ts";
import { noSshd, startLoopbackDevice } from "../helpers/sshd.ts";
import { prepareArm64, rehearsalFolder, writeEmulatedNode, type Board } from "./arm64.ts";

/**
 * The rehearsal of a Raspberry Pi: real ssh, the real arm64 Node.js and ONNX Runtime, emulated CPUs of the Pi 4 and the Pi 5. Without sshd the same commands run
 * without ssh. Where the userland cannot be had it says SKIPPED, with the reason and the command that mends it, and tests nothing.
 */

/** Longest rehearsal of one board: then all that it started is ended, and the test fails. */
const boardMs = 100_000;

const size = [64, 64] as const;

/** An untrained student of the example's kind in float and in int8; the int8 file also gives every quantized activation, to compare bits. */
const writeModels = async (folder: string): Promise<readonly string[]> => {
  const student = yoloStudent({ classes: ["car", "truck", "pedestrian"], size, width: 0.125, depth: 0.33, maxChannels: 256, activation: "relu", regMax: 8, seed: 1 });
  const input = student.inputs[0]!.name;
  async function* calibration(): AsyncGenerator<Record<string, Tensor>> {
    for (let i = 0; i < 3; i++) yield await Promise.resolve({ [input]: Tensor.of("float32", [1, 3, size[1], size[0]], seededNumbers(3 * size[0] * size[1], i + 1)) });
  }
  const { files, report } = await quantizeModel(student, { calibration: calibration(), scheme: "cpu", threads: 1 });
  const int8 = files.cpu!;
  int8.metadata.set(sessionKey, JSON.stringify(report.sessionSettings!.cpu));
  for (const node of int8.sorted()) if (node.opType === "QuantizeLinear" && !node.in(0).constant) int8.outputs.push(node.out());
  const paths = [join(folder, "float.onnx"), join(folder, "int8.onnx")];
  await saveModel(student, paths[0]!);
  await saveModel(int8, paths[1]!);
  return paths;
};

const settings: Pick<BenchmarkJob, "runs" | "seconds" | "threads"> = { runs: 5, seconds: 0.1, threads: 1 };

/** Puts the programs of the board into the folder; the path of its Node.js. */
const installPrograms = async (bin: string, board: Board): Promise<string> => {
  await mkdir(bin);
  await writeFile(join(bin, "vcgencmd"), "#!/bin/sh\necho throttled=0x0\n", { mode: 0o755 });
  await writeEmulatedNode(join(bin, "node"), board);
  return join(bin, "node");
};

const overSsh = async (board: Board, hooks: BenchmarkHooks): Promise<readonly BenchmarkRecord[]> => {
  const device = await startLoopbackDevice();
  try {
    const node = await installPrograms(join(device.home, "bin"), board);
    const entry = { name: board, kind: "rpi", host: device.host, sshConfig: device.sshConfig, node } as const;
    return await benchModels(await writeModels(device.folder), { targets: [board], inventory: [entry], hooks, ...settings });
  } finally {
    await device.stop();
  }
};

const withoutSsh = async (board: Board, hooks: BenchmarkHooks): Promise<readonly BenchmarkRecord[]> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-arm64-"));
  const transport = localTransport({ XDG_CACHE_HOME: join(folder, "cache"), TMPDIR: folder });
  try {
    const node = await installPrograms(join(folder, "bin"), board);
    const models = await Promise.all((await writeModels(folder)).map(benchmarkModel));
    return await rpiKind.benchmark({ transport, settings: { name: board, kind: "rpi", host: "this machine", node } }, { models, ...settings }, hooks);
  } finally {
    await transport.close();
    await rm(folder, { recursive: true });
  }
};

const benchmarkModel = async (path: string): Promise<BenchmarkModel> => {
  const { graph } = await loadModel(path);
  const { session } = exactSession(graph);
  return { name: basename(path), path, sha256: await sha256File(path), precision: precisionOf(graph), session };
};

/** What the rehearsal and ONNX Runtime in this process keep in caches and temporary folders goes with it. */
const own = join(rehearsalFolder, "own");

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort(new Error(`the rehearsal was ended by ${signal}`)));

const missingServer = noSshd();
const missing = await prepareArm64();
if (missing !== undefined) console.log(missing);
else {
  if (missingServer !== undefined) console.log(missingServer.replace("SKIPPED", "Without ssh"));
  await rm(own, { recursive: true, force: true });
  await mkdir(own);
  Object.assign(process.env, { XDG_CACHE_HOME: own, TMPDIR: own });

  for (const board of ["pi4", "pi5"] as const) {
    test(`${board}, emulated: a student runs there, int8 with the same bits, float within 1e-4`, async () => {
      const hooks = { signal: AbortSignal.any([interrupted.signal, AbortSignal.timeout(boardMs)]) };
      const [float, int8] = await (missingServer === undefined ? overSsh : withoutSsh)(board, hooks);
      for (const record of [float!, int8!]) {
        assert.is(record.emulated, true);
        assert.is(record.stable, false);
        assert.match(record.unstableReasons!.join(), "emulated");
        assert.is(record.details!["architecture"], "arm64");
        assert.ok(record.againstHost!.maxAbsError <= 1e-4, `${record.model} differs by ${record.againstHost!.maxAbsError}`);
      }
      assert.is(int8!.precision, "int8");
      assert.is(int8!.againstHost!.integersBitEqual, true);
      assert.is(float!.device.runtimes!["onnxruntime-node"], "1.30.0");
    });
  }

  test.after(() => rm(own, { recursive: true, force: true }));
  test.run();
}
