// Stand-in, not a device: prints and writes what trtexec of TensorRT 8.2, 8.5, 8.6, 10.3 and 11.4 is documented to (samples/common, tags of NVIDIA/TensorRT).
// STAND_IN_TRT=10.3.0 says which; STAND_IN_TRT_FAULT=build|oom|foreign|hang|hang-run makes it fail as the real one does.
import { existsSync, readFileSync, writeFileSync, appendFileSync } from "node:fs";

const [major, minor, patch] = (process.env.STAND_IN_TRT ?? "10.3.0").split(".").map(Number);
const fault = process.env.STAND_IN_TRT_FAULT ?? "";
const code = major < 10 ? major * 1000 + minor * 100 + patch : major * 10000 + minor * 100 + patch;
const args = process.argv.slice(2);
if (process.env.STAND_IN_LOG) appendFileSync(process.env.STAND_IN_LOG, `trtexec ${args.join(" ")}\n`);
const value = (name) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
const say = (severity, text) => process.stdout.write(`[04/19/2026-01:31:14] [${severity}] ${text}\n`);
const banner = (word) => process.stdout.write(`&&&& ${word} TensorRT.trtexec [TensorRT v${code}]${major >= 10 ? " [b26]" : ""} # trtexec ${args.join(" ")}\n`);
const finish = (passed) => { banner(passed ? "PASSED" : "FAILED"); process.exit(passed ? 0 : 1); };

const common = ["onnx", "saveEngine", "loadEngine", "timingCacheFile", "shapes", "useDLACore", "allowGPUFallback", "warmUp", "duration", "iterations", "useSpinWait", "useCudaGraph", "noDataTransfers",
  "exportTimes", "exportProfile", "exportLayerInfo", "dumpProfile", "help"];
const known = new Set([...common,
  ...(major < 11 ? ["int8", "fp16", "best", "calib"] : ["includeDataTransfers", "noCudaGraph", "noSpinWait"]),
  ...(code < 8400 ? ["workspace"] : ["memPoolSize"]), ...(major > 8 || minor >= 4 ? ["profilingVerbosity"] : ["nvtxMode"]),
  ...(major > 8 || minor >= 6 ? ["skipInference", "builderOptimizationLevel"] : ["buildOnly"])]);

banner("RUNNING");
if (args.includes("--help")) {
  process.stdout.write(`=== Model Options ===\n${[...known].map((name) => `  --${name.padEnd(24)} text\n`).join("")}`);
  finish(true);
}
for (const arg of args) {
  const name = arg.replace(/^--/, "").split("=")[0];
  if (known.has(name)) continue;
  say("I", `Unknown option: --${name} ${arg.split("=")[1] ?? ""}`);
  finish(false);
}

if (value("--onnx")) {
  if (fault === "build") {
    say("E", "[TRT] ModelImporter.cpp:836: While parsing node number 12 [QuantizeLinear -> \"x_q\"]:");
    say("E", "[TRT] ModelImporter.cpp:839: ERROR: onnxOpImporters.cpp:1310 In function QuantDequantLinearHelper: [6] Assertion failed: shiftIsAllZeros(zeroPoint): TensorRT only supports symmetric quantization");
    say("E", "Failed to parse onnx file");
    say("E", "Engine set up failed");
    finish(false);
  }
  if (fault === "oom") { say("E", "[TRT] 2: [virtualMemoryBuffer.cpp::resizePhysical::144] Error Code 2: OutOfMemory (no further information)"); finish(false); }
  if (fault === "hang") await new Promise((resolve) => setTimeout(resolve, 600_000));
  const model = readFileSync(value("--onnx"));
  say("I", "[TRT] ---------- Layers Running on DLA ----------");
  if (value("--useDLACore") !== undefined) say("I", "[TRT] [DlaLayer] {ForeignNode[/model.0/conv/Conv.../model.9/cv2/Conv]}");
  say("I", "[TRT] ---------- Layers Running on GPU ----------");
  say("I", "[TRT] [GpuLayer] COPY: images_QuantizeLinear");
  say("I", "[TRT] [GpuLayer] SOFTMAX: /model.22/dfl/Softmax");
  writeFileSync(value("--saveEngine"), JSON.stringify({ code, bytes: model.length, int8: args.includes("--int8") || major >= 11 }));
  if (value("--timingCacheFile")) writeFileSync(value("--timingCacheFile"), `timing ${code}`);
  say("I", "Engine built in 42.1 sec.");
  finish(true);
}

const file = value("--loadEngine");
const engine = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
if (!engine || engine.code !== code || fault === "foreign") {
  say("E", "[TRT] 6: The engine plan file is not compatible with this version of TensorRT, expecting library version 10.3.0 got 8.6.2, please rebuild.");
  say("E", "Engine deserialization failed");
  finish(false);
}
if (fault === "hang-run" && value("--exportTimes")) await new Promise((resolve) => setTimeout(resolve, 600_000));
const n = Number(value("--iterations") ?? 10);
const base = engine.int8 ? 3.5 : 4.9;
const copies = major < 11 ? !args.includes("--noDataTransfers") : args.includes("--includeDataTransfers");
const warmUps = code < 8400 ? Math.ceil(Number(value("--warmUp") ?? 200) / 5) : 0; // TensorRT 8.2 exports them too
const queries = Array.from({ length: warmUps + n }, (_, i) => {
  const [h2dMs, d2hMs] = copies ? [0.1, 0.05] : [0, 0];
  const computeMs = (i < warmUps ? 50 : 0) + base + 0.02 * Math.sin(i) + (i % 97 === 0 ? 0.3 : 0);
  const start = 5 * i;
  return { startEnqMs: start, endEnqMs: start + 0.4, startH2dMs: start, endH2dMs: start + h2dMs, startComputeMs: start + h2dMs, endComputeMs: start + h2dMs + computeMs,
    startD2hMs: start + h2dMs + computeMs, endD2hMs: start + h2dMs + computeMs + d2hMs, h2dMs, computeMs, d2hMs, latencyMs: h2dMs + computeMs + d2hMs, ...(code < 8400 && { endToEndMs: h2dMs + computeMs + d2hMs }) };
});
if (value("--exportTimes")) writeFileSync(value("--exportTimes"), `[\n  ${queries.map((query) => JSON.stringify(query)).join("\n, ")}\n]\n`);
if (value("--exportProfile")) {
  const layer = (name, averageMs) => `{ "name" : "${name}", "timeMs" : ${averageMs * n}, "averageMs" : ${averageMs}${code < 8400 ? "" : `, "medianMs" : ${averageMs}`}, "percentage" : ${100 * averageMs / base} }`;
  writeFileSync(value("--exportProfile"), `[\n  { "count" : ${n} }\n, ${layer("/model.0/conv/Conv + PWN(/model.0/act/Mul)", 0.7)}\n, ${layer('cv2 "odd"', 1.9)}\n, ${layer("Reformatting CopyNode for Input Tensor 0", 0.05)}\n]\n`);
}
if (value("--exportLayerInfo")) {
  const type = engine.int8 ? "Int8 NC/32HW32" : "Half NC/2HW2";
  const port = (format) => ({ Name: "t", Dimensions: [1, 16, 80, 80], "Format/Datatype": format });
  writeFileSync(value("--exportLayerInfo"), JSON.stringify({ Layers: [
    { Name: "/model.0/conv/Conv + PWN(/model.0/act/Mul)", LayerType: "CaskConvolution", Inputs: [port(type)], Outputs: [port(type)], TacticName: "sm80_xmma_fprop_implicit_gemm_interleaved_i8i8" },
    { Name: "/model.22/cv3/Conv", LayerType: "CaskConvolution", Inputs: [port("Half NC/2HW2")], Outputs: [port("Half NC/2HW2")], TacticName: "" },
    { Name: "Reformatting CopyNode", LayerType: "Reformat", Inputs: [port("Float NCHW")], Outputs: [port(type)], TacticName: "" },
  ], [major >= 11 ? "I/O Tensors" : "Bindings"]: ["images", "output0"] }));
}
const summary = (name) => say("I", `${name}: min = 3.44 ms, max = 4.2 ms, mean = 3.52 ms, median = 3.5 ms, ${code < 8500 ? "percentile(99%) = 3.9 ms" : "percentile(90%) = 3.6 ms, percentile(95%) = 3.7 ms, percentile(99%) = 3.9 ms"}`);
say("I", "=== Performance summary ===");
say("I", `Throughput: ${(1000 / base).toPrecision(6)} qps`);
summary("Latency");
if (code < 8400) summary("End-to-End Host Latency");
for (const name of ["Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency"]) summary(name);
say("I", "Total Host Walltime: 3.01 s");
if (process.env.STAND_IN_UNSTABLE) {
  say("W", "* GPU compute time is unstable, with coefficient of variance = 7.1%.");
  say("W", "  If not already in use, locking GPU clock frequency or adding --useSpinWait may improve the stability.");
}
finish(true);
