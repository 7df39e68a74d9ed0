import { test } from "uvu";
import * as assert from "uvu/assert";
import { join } from "node:path";
import { parseGraph } from "../../graph/text.ts";
import { saveModel } from "../../onnx/save.ts";
import { cli, inFolder } from "../helpers/cli.ts";

const model = parseGraph(`graph m <opset 17> (x: f32[1,16,8,8]) {
  const s: f32[] = [0.1] const z: i8[] = [-128] const w: f32[16,16,3,3] = fill 0.1
  q = QuantizeLinear(x, s, z) "x_q" d = DequantizeLinear(q, s, z) "x_dq" c = Conv(d, w) "conv" y = Exp(c) "exp" } -> y`);

test("inspect: TensorRT findings for people, errors first, each with its change", () => inFolder(async (folder) => {
  const path = join(folder, "m.onnx");
  await saveModel(model, path);
  const { stdout, exitCode } = await cli(["inspect", path]);
  assert.is(exitCode, 0);
  assert.match(stdout, `error [zero-point] QuantizeLinear "x_q" has a zero point other than 0`);
  assert.match(stdout, `slow [half-quantized] Conv "conv" has int8 data but float weights`);
  assert.match(stdout, "change: put Q/DQ on both inputs");
  assert.ok(stdout.indexOf("error [") < stdout.indexOf("slow ["));
}));

test("inspect --json: node, rule, severity, change and source; --dla and --tensorrt change the question", () => inFolder(async (folder) => {
  const path = join(folder, "m.onnx");
  await saveModel(model, path);
  const found = async (...args: string[]) => (JSON.parse((await cli(["inspect", path, "--json", ...args])).stdout) as { tensorrt: Record<string, string>[] }).tensorrt;
  for (const finding of await found()) assert.equal(Object.keys(finding).sort(), ["change", "finding", "node", "opType", "rule", "severity", "source"]);
  assert.ok((await found("--dla", "--tensorrt", "10.3")).some(({ rule, node, severity }) => rule === "dla-fallback" && node === "exp" && severity === "slow"));
  const wrong = await cli(["inspect", path, "--tensorrt", "latest"]);
  assert.is(wrong.exitCode, 2);
}));

test.run();
