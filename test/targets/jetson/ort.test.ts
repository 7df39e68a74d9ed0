import { execa } from "execa";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { measureWithOrt, parseOrtResult, type OrtJob } from "../../../targets/jetson/ort.ts";
import { ortScript } from "../../../targets/jetson/ort-script.ts";
import { jetsonRequirements } from "../../../targets/jetson/requirements.ts";
import type { JetsonSettings } from "../../../targets/jetson/settings.ts";
import type { DeviceFacts } from "../../../targets/kind.ts";
import { refusal } from "../../helpers/refusal.ts";
import { studentFile, withStandIns } from "./bench-with-stand-ins.ts";

/** A Python with onnxruntime; PYTHON says which. */
const python = process.env["PYTHON"] ?? "python3";
const hasOrt = (await execa(python, ["-c", "import onnxruntime, numpy"], { reject: false })).exitCode === 0;

/** A test with the real ONNX Runtime of Python; shown as skipped where there is none. */
const testWithOrt = (title: string, body: () => Promise<void>): void => {
  if (hasOrt) return void test(title, body);
  console.warn(`skipped, ${python} has no onnxruntime (PYTHON says which Python): ${title}`);
  test.skip(title);
};

const job = (model: string, folder: string): OrtJob => ({ name: "student", model, folder, precision: "int8", batch: 1, runs: 20, seconds: 0, python });

testWithOrt("the script runs on a real ONNX Runtime, and its profile names the provider of every node", () => withStandIns({}, async ({ folder, transport }) => {
  const { path } = await studentFile(folder, "int8");
  await mkdir(join(folder, "ort"));
  const argument = JSON.stringify({ model: path, folder: join(folder, "ort"), batch: 1, runs: 20, seconds: 0, warmupSeconds: 0, providers: [["CPUExecutionProvider", null]] });
  const { stdout, exitCode, stderr } = await transport.run([python, "-c", ortScript, argument]);
  assert.is(exitCode, 0, stderr);
  const { latencyMs, nodes, providers } = parseOrtResult(stdout);
  assert.is(latencyMs.length, 20);
  assert.equal(providers, ["CPUExecutionProvider"]);
  assert.ok(nodes.length > 50 && nodes.every(({ provider, op, name }) => provider === "CPUExecutionProvider" && op !== "" && name !== ""));
}));

testWithOrt("ONNX Runtime falls back silently where TensorRT is missing; here that is an error", () => withStandIns({}, async ({ folder, transport }) => {
  const { path } = await studentFile(folder, "float32");
  const error = await refusal(measureWithOrt(transport, job(path, join(folder, "ort"))));
  assert.ok(["PROVIDER_MISSING", "PROVIDER_FALLBACK", "ORT_FAILED"].includes(error.code), error.message);
  assert.match(error.message, "TensorrtExecutionProvider");
}));

testWithOrt("a model that runs on the wanted provider alone passes", () => withStandIns({}, async ({ folder, transport }) => {
  const { path } = await studentFile(folder, "float32");
  const { nodes } = await measureWithOrt(transport, { ...job(path, join(folder, "ort")), providers: [["CPUExecutionProvider", null]] });
  assert.ok(nodes.length > 0);
}));

testWithOrt("a model that ONNX Runtime refuses", () => withStandIns({}, async ({ folder, transport }) => {
  const error = await refusal(measureWithOrt(transport, { ...job(join(folder, "none.onnx"), join(folder, "ort")), providers: [["CPUExecutionProvider", null]] }));
  assert.is(error.code, "ORT_FAILED");
  assert.match(error.message, "none.onnx");
}));

const bare: DeviceFacts = {
  hostname: "orin", model: null, kernelArchitecture: "aarch64", architecture: "arm64", wordBits: 64, os: null, kernel: null, cpu: null, cores: 6, cpuFeatures: [], memoryBytes: null, freeMemoryBytes: null,
  freeDiskBytes: null, loadAverage: null, glibc: "2.35", node: null, governor: null, clockMHz: null, maxClockMHz: null, temperatureC: null, throttledBits: null, emulated: false,
  more: { JetPack: "6.2", L4T: "R36.4.7", TensorRT: "10.3.0", trtexec: "/usr/src/tensorrt/bin/trtexec", "power mode": "MAXN_SUPER (2)", "onnxruntime (Python)": null, clocks: "locked" },
};
const settings: JetsonSettings = { name: "orin", kind: "jetson", host: "orin" };

for (const [what, more, own, words, fix] of [
  ["all there", {}, {}, "", ""],
  ["no TensorRT", { TensorRT: null, trtexec: null }, {}, "error: there is no TensorRT", "nvidia-jetpack"],
  ["no trtexec", { trtexec: null }, {}, "error: there is no trtexec", "libnvinfer-bin"],
  ["no trtexec, and none needed", { trtexec: null, "onnxruntime (Python)": "1.23.0: TensorrtExecutionProvider, CPUExecutionProvider" }, { runner: "onnxruntime" }, "", ""],
  ["no wheel", {}, { runner: "onnxruntime" }, "error: Python has no onnxruntime", "onnxruntime-gpu"],
  ["a wheel without TensorRT", { "onnxruntime (Python)": "1.23.0: CPUExecutionProvider" }, { runner: "onnxruntime" }, "no TensorRT provider", "onnxruntime-gpu"],
  ["TensorRT 8.0", { TensorRT: "8.0.1" }, {}, "error: TensorRT 8.0.1 is older than 8.2", "JetPack"],
  ["clocks free", { clocks: "not locked" }, {}, "warning: the clocks are not locked", "--lock-clocks"],
  ["no Jetson", { L4T: null }, {}, "warning: there is no /etc/nv_tegra_release", "host"],
  ["no power mode", { "power mode": null }, {}, "warning: nvpmodel", "apt-get"],
] as const) {
  test(`requirements: ${what}`, () => {
    const facts: DeviceFacts = { ...bare, more: { ...bare.more, ...more } };
    const found = jetsonRequirements.flatMap((requirement) => requirement(facts, { ...settings, ...own }) ?? []);
    assert.ok(found.map((finding) => `${finding.severity}: ${finding.what}`).join("\n").includes(words) && (words !== "" || found.length === 0), JSON.stringify(found));
    if (fix !== "") assert.match(found[0]!.fix, fix);
  });
}

test.run();
