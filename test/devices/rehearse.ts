import { test } from "uvu";
import * as assert from "uvu/assert";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { saveModel } from "../../onnx/save.ts";
import { benchModels } from "../../pipeline/models/bench.ts";
import { sessionKey } from "../../pipeline/models/session.ts";
import { quantizeModel } from "../../pipeline/quantize/quantize.ts";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { Tensor } from "../../graph/tensor.ts";
import { seededNumbers } from "../helpers/models.ts";
import { noArm64, writeEmulatedNode, type Board } from "../devices/arm64.ts";
import { noSshd, startLoopbackDevice } from "../helpers/sshd.ts";

/** The rehearsal of a Raspberry Pi: real ssh, the real arm64 Node.js and ONNX Runtime, emulated CPUs of the Pi 4 and the Pi 5. */

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

const rehearse = async (board: Board): Promise<readonly BenchmarkRecord[]> => {
  const device = await startLoopbackDevice();
  try {
    await mkdir(join(device.home, "bin"));
    const node = join(device.home, "bin", "node");
    await writeEmulatedNode(node, board);
    await writeFile(join(device.home, "bin", "vcgencmd"), "#!/bin/sh\necho throttled=0x0\n", { mode: 0o755 });
    const entry = { name: board, kind: "rpi", host: device.host, sshConfig: device.sshConfig, node } as const;
    return await benchModels(await writeModels(device.folder), { targets: [board], inventory: [entry], runs: 5, seconds: 0.1, threads: 1 });
  } finally {
    await device.stop();
  }
};

for (const board of ["pi4", "pi5"] as const) {
  test(`${board}, emulated: a student runs there, int8 with the same bits, float within 1e-4`, async () => {
    const missing = noSshd() ?? noArm64();
    if (missing !== undefined) return console.log(missing);
    const [float, int8] = await rehearse(board);
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

test.run();
