import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../graph/error.ts";
import { factsOf, sectionsOf } from "../../../targets/jetson/device.ts";
import { convolutionPrecision, parseLayerInfo, parseProfile, parseTimes } from "../../../targets/jetson/exports.ts";
import { failureOf, hasPassed, isForeignEngine, isOutOfMemory, measurementWarnings, placementOf, throughputOf } from "../../../targets/jetson/log.ts";
import { clockReasons, telemetryOf } from "../../../targets/jetson/monitor.ts";
import { assertProviders, parseOrtResult } from "../../../targets/jetson/ort.ts";
import { parseClocks, parsePowerMode } from "../../../targets/jetson/power-mode.ts";
import { junctionC, modulePowerMW, parseTegrastats } from "../../../targets/jetson/tegrastats.ts";
import { jetpackOf, parseBanner, parseHelp, parsePackages, parseTegraRelease } from "../../../targets/jetson/version.ts";
import { tegrastatsLines } from "./stand-ins/lines.js";

/** The parser refuses the text as unreadable, and the message holds `words`. */
const refuses = (work: () => unknown, words: string): void => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError && error.code === "DEVICE_OUTPUT", String(error));
    assert.ok(error.message.includes(words), `"${error.message}" says "${words}"`);
    assert.ok(error.nextStep.length > 0);
    return;
  }
  assert.unreachable("nothing was refused");
};

const lines = tegrastatsLines;

for (const [board, gpuMHz, gpuPercent, junction, powerMW, cores, ram] of [
  ["orin-nano", [1020], 97, 49.25, 6210, [0, 8, 1, null, 0, 0], 1215],
  ["agx-orin", [1300, 1300], 12, 52.968, 5139 + 3268 + 5500, [1, 0], 4000],
  ["thor", [1000, 1000, 1000], null, 46.5, 30000, [1, 0], 5000],
  ["xavier-nx", [114], 0, 38.5, 3600, [5, null], 2000],
  ["agx-xavier", [114], 0, 38.5, 800 + 400 + 1200 + 300 + 1500, [5], 2000],
  ["nano", [76], 0, 40, 1750, [5, 4, 3, 6], 1923],
] as const) {
  test(`tegrastats of ${board}`, () => {
    const sample = parseTegrastats(lines[board]!);
    assert.equal(sample.gpuMHz, [...gpuMHz]);
    assert.is(sample.gpuPercent, gpuPercent);
    assert.is(junctionC(sample), junction);
    assert.is(modulePowerMW(sample), powerMW);
    assert.equal(sample.cpuPercent, [...cores]);
    assert.is(sample.ramUsedMB, ram);
    assert.not("cv0" in sample.temperatureC, "a sensor that is off");
    assert.not("RAM" in sample.powerMW || "SWAP" in sample.powerMW || "IRAM" in sample.powerMW);
  });

  test(`tegrastats of ${board}: cut anywhere, it is read in part or refused, never read wrongly`, () => {
    const whole = lines[board]!;
    const right = parseTegrastats(whole);
    for (let end = 0; end < whole.length; end += 3) {
      try {
        const sample = parseTegrastats(whole.slice(0, end));
        for (const [name, celsius] of Object.entries(sample.temperatureC)) assert.is(celsius, right.temperatureC[name], `${name} at ${end}`);
      } catch (error) {
        assert.ok(error instanceof UserError && error.code === "DEVICE_OUTPUT", String(error));
      }
    }
  });
}

test("tegrastats: truncated, localised, future", () => {
  refuses(() => parseTegrastats("04-19-2026 01:31:14 RA"), "RAM");
  refuses(() => parseTegrastats(lines["orin-nano"]!.slice(0, lines["orin-nano"]!.indexOf("48.843") + 4)), "cut off");
  refuses(() => parseTegrastats(lines["orin-nano"]!.replace("48.843C", "48,843C")), "decimal comma");
  refuses(() => parseTegrastats(`{"ram":{"used":1215},"gpu":{"freq":1020}}`), "RAM");
  refuses(() => parseTegrastats("RAM 1215/7607MB CPU [0%@1728] HEAT cpu=48.8"), "neither temperatures nor power");
  assert.is(parseTegrastats(`${lines["orin-nano"]} NPU_FREQ 3%@900 npu@41.5C HBM 3/4 x`).temperatureC["npu"], 41.5, "names of the future are read or skipped");
});

test("telemetry: means, the cut last line dropped, throttling seen", () => {
  const whole = lines["orin-nano"]!;
  const slow = whole.replace("[1020]", "[510]");
  const telemetry = telemetryOf([whole, slow, whole.slice(0, 60)]);
  assert.is(telemetry.samples, 2);
  assert.is(telemetry.meanW, 6.21);
  assert.is(telemetry.railsW["VDD_SOC"], 2.348);
  refuses(() => telemetryOf([]), "nothing");
  refuses(() => telemetryOf([whole.slice(0, 10), whole]), "RAM");
  const clocks = { gpu: { minHz: 1.02e9, maxHz: 1.02e9, currentHz: 1.02e9 }, emc: null, governor: null, locked: true };
  assert.match(clockReasons(clocks, telemetry).join(), "throttled: the GPU ran below its clock in 50 % of the samples, down to 510 MHz of 1020 MHz");
  assert.equal(clockReasons(clocks, telemetryOf([whole, whole])), []);
  assert.match(clockReasons({ ...clocks, locked: false }, telemetry).join(), "not locked");
  assert.match(clockReasons(null, telemetry).join(), "unknown");
});

test("nvpmodel -q: every generation; truncated, localised, future", () => {
  assert.equal(parsePowerMode("NV Power Mode: MAXN_SUPER\n2\n"), { name: "MAXN_SUPER", id: 2 });
  assert.equal(parsePowerMode("NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN\n0\n"), { name: "MAXN", id: 0 });
  assert.equal(parsePowerMode("NV Fan Mode:quiet\nNV Power Mode: MODE_15W\n2\n"), { name: "MODE_15W", id: 2 });
  refuses(() => parsePowerMode("NV Power Mode: MAXN_SUPER\n"), "no mode number");
  refuses(() => parsePowerMode("NV Power Mode:"), "no `NV Power Mode:`");
  refuses(() => parsePowerMode("NV-Energiemodus: MAXN\n0\n"), "no `NV Power Mode:`");
  refuses(() => parsePowerMode(`{"mode": "MAXN", "id": 0}`), "no `NV Power Mode:`");
});

const shown = (min: number, override: string): string => `cpu0: Online=1 Governor=schedutil MinFreq=729600 MaxFreq=1728000 CurrentFreq=1728000 IdleStates: WFI=1 c7=1
GPU MinFreq=${min} MaxFreq=1020000000 CurrentFreq=306000000
EMC MinFreq=204000000 MaxFreq=3199000000 CurrentFreq=3199000000${override}
NV Power Mode: MAXN_SUPER`;

test("jetson_clocks --show: free, locked, without override; truncated, localised, future", () => {
  assert.is(parseClocks(shown(306000000, " FreqOverride=0")).locked, false);
  assert.equal(parseClocks(shown(1020000000, " FreqOverride=1")).locked, true);
  assert.is(parseClocks(shown(1020000000, "")).locked, false);
  assert.is(parseClocks(shown(306000000, "")).governor, "schedutil");
  assert.is(parseClocks("GPU MinFreq=5 MaxFreq=5 CurrentFreq=5").locked, true);
  refuses(() => parseClocks(shown(1, "").slice(0, shown(1, "").indexOf("CurrentFreq=306") + 3)), "no line of the GPU");
  refuses(() => parseClocks(shown(306000000, "").replace("MinFreq=306000000", "MinFreq=306.000.000")), "no line of the GPU");
  refuses(() => parseClocks("GPU0 min 306MHz max 1020MHz"), "no line of the GPU");
  assert.throws(() => parseClocks(shown(9e99, "").replace("9e+99", "9".repeat(400))), /is no clock of a board/);
});

test("trtexec's banner: 8.x, 10.x, 11.x; truncated, foreign, future", () => {
  const banner = (code: string): string => `&&&& RUNNING TensorRT.trtexec [TensorRT v${code}] # trtexec --help`;
  assert.equal(parseBanner(banner("8201")), { major: 8, minor: 2, patch: 1 });
  assert.equal(parseBanner(banner("8502")), { major: 8, minor: 5, patch: 2 });
  assert.equal(parseBanner(`noise\n${banner("8601")}\nmore`), { major: 8, minor: 6, patch: 1 });
  assert.equal(parseBanner("&&&& RUNNING TensorRT.trtexec [TensorRT v100600] [b26] # trtexec --help"), { major: 10, minor: 6, patch: 0 });
  assert.equal(parseBanner(banner("101602")), { major: 10, minor: 16, patch: 2 });
  assert.equal(parseBanner(banner("110401")), { major: 11, minor: 4, patch: 1 });
  refuses(() => parseBanner("&&&& RUNNING TensorRT.trtexec [Tens"), "no TensorRT version");
  refuses(() => parseBanner("sh: trtexec: Kommando nicht gefunden"), "no TensorRT version");
  refuses(() => parseBanner("&&&& RUNNING TensorRT.trtexec [TensorRT 12.0.0] # trtexec"), "no TensorRT version");
  assert.equal([...parseHelp("=== Model Options ===\n  --onnx=<file>   ONNX model\n  --fp16    Enable --int8 too\n")], ["--onnx", "--fp16"]);
});

test("L4T and packages: every generation; truncated, future", () => {
  for (const [text, major, revision, jetpack] of [
    ["# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref, EABI: aarch64, DATE: Sat Feb 19 17:05:08 UTC 2022", 32, "7.1", "4.6.1"],
    ["# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref", 35, "4.1", "5.1.2"],
    ["# R36 (release), REVISION: 4.7, GCID: 1, BOARD: generic", 36, "4.7", "6.2"],
    ["# R39 (release), REVISION: 2.0, GCID: 1, BOARD: generic", 39, "2.0", "7.2"],
    ["# R44 (release), REVISION: 1.0, GCID: 1", 44, "1.0", undefined],
  ] as const) {
    assert.equal(parseTegraRelease(text), { major, revision });
    assert.is(jetpackOf({ major, revision }), jetpack);
  }
  refuses(() => parseTegraRelease("# R36 (release), REVIS"), "no release");
  refuses(() => parseTegraRelease("JETSON_LINUX=44.1"), "no release");
  assert.equal(parsePackages("nvidia-jetpack 6.2+b77\nlibnvinfer10 10.3.0.30-1+cuda12.5\nlibnvinfer-bin 10.3.0.30-1+cuda12.5"), { jetpack: "6.2", tensorrt: { major: 10, minor: 3, patch: 0 } });
  assert.equal(parsePackages("libnvinfer8 8.5.2-1+cuda11.4"), { jetpack: undefined, tensorrt: { major: 8, minor: 5, patch: 2 } });
  assert.equal(parsePackages("dpkg-query: kein Paket gefunden, das auf tensorrt passt"), { jetpack: undefined, tensorrt: undefined });
});

const query = (start: number, latencyMs: number, more = ""): string => `{ "startEnqMs" : ${start}, "endEnqMs" : ${start}, "startH2dMs" : ${start}, "endH2dMs" : ${start}, "startComputeMs" : ${start}, "endComputeMs" : ${start}, "startD2hMs" : ${start}, "endD2hMs" : ${start}, "h2dMs" : 0.1, "computeMs" : ${latencyMs - 0.2}, "d2hMs" : 0.1, "latencyMs" : ${latencyMs}${more} }`;

test("exported times: all runs count, but the warm-up of TensorRT 8.2; truncated, localised, future", () => {
  assert.equal(parseTimes(`[\n  ${query(0, 4)}\n, ${query(5, 3)}\n]`, 200).latencyMs, [4, 3]);
  assert.equal(parseTimes(`[ ${query(0, 9, `, "endToEndMs" : 9`)}, ${query(300, 3, `, "endToEndMs" : 3`)} ]`, 200).latencyMs, [3]);
  refuses(() => parseTimes(`[ ${query(0, 4)}, ${query(5, 3).slice(0, 60)}`, 200), "cut off");
  refuses(() => parseTimes(`[ ${query(0, 4).replace(`"latencyMs" : 4`, `"latencyMs" : 4,25`)} ]`, 200), "decimal comma");
  refuses(() => parseTimes(`[ { "hostLatencyUs" : 4000 } ]`, 200), "startComputeMs");
  refuses(() => parseTimes("", 200), "not JSON");
  refuses(() => parseTimes("[]", 200), "no measured run");
});

const profiled = (name: string): string => `{ "name" : "${name}", "timeMs" : 1.5, "averageMs" : 0.15, "medianMs" : 0.15, "percentage" : 12.5 }`;

test("exported profile: names with quotes are read; TensorRT 8.2 has no median; truncated, localised, future", () => {
  assert.equal(parseProfile(`[\n  { "count" : 10 }\n, ${profiled('a "b" \\c')}\n, ${profiled("d").replace(`"medianMs" : 0.15, `, "")}\n]`).map(({ name }) => name), ['a "b" \\c', "d"]);
  refuses(() => parseProfile(`[\n  { "count" : 10 }\n, ${profiled("a").slice(0, 40)}`), "cut off");
  refuses(() => parseProfile(`[ { "count" : 10 }, ${profiled("a").replace("0.15", "0,15")} ]`), "decimal comma");
  refuses(() => parseProfile(`{ "version" : 2, "layers" : [] }`), "the whole");
  refuses(() => parseProfile(`[ { "count" : 10 } ]`), "no layer");
});

test("layer info: the proof of int8; names only, truncated, future", () => {
  const layer = (name: string, type: string, format: string): object => ({ Name: name, LayerType: type, Inputs: [{ Name: "x", "Format/Datatype": format }], Outputs: [{ Name: "y", "Format/Datatype": format }] });
  const text = (bindings: string): string => JSON.stringify({ Layers: [layer("a", "CaskConvolution", "Int8 NC/32HW32"), layer("b", "CaskConvolution", "Half NC/2HW2"), layer("c", "Reformat", "Float NCHW")], [bindings]: ["x"] });
  for (const bindings of ["Bindings", "I/O Tensors"]) assert.equal(convolutionPrecision(parseLayerInfo(text(bindings))), { int8: 1, convolutions: 2, float: ["b"] });
  refuses(() => parseLayerInfo(JSON.stringify({ Layers: ["conv1", "conv2"] })), "without detailed profiling");
  refuses(() => parseLayerInfo(text("Bindings").slice(0, 90)), "cut off");
  refuses(() => parseLayerInfo(JSON.stringify({ engine: [] })), "Layers");
});

const logged = (severity: string, text: string): string => `[04/19/2026-01:31:14] [${severity}] ${text}`;

test("trtexec's log: verdict, reasons, warnings, placement, throughput; truncated, localised", () => {
  const log = [logged("E", "[TRT] first"), logged("E", "Failed to parse onnx file"), "&&&& FAILED TensorRT.trtexec [TensorRT v8601] # x"].join("\n");
  assert.is(hasPassed(log), false);
  assert.is(hasPassed("&&&& RUNNING TensorRT.trtexec\n&&&& PASSED TensorRT.trtexec"), true);
  assert.is(hasPassed("&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # cut"), false, "no verdict is no success");
  assert.equal(failureOf(log), ["[TRT] first", "Failed to parse onnx file"]);
  assert.equal(failureOf(`${logged("I", "Unknown option: --fp16 ")}\n&&&& FAILED`), ["Unknown option: --fp16"]);
  assert.equal(failureOf("Segmentation fault (core dumped)\n"), ["Segmentation fault (core dumped)"]);
  assert.equal(measurementWarnings(`${logged("W", "* GPU compute time is unstable, with coefficient of variance = 7.1%.")}\n${logged("W", "  If not already in use …")}`), ["GPU compute time is unstable, with coefficient of variance = 7.1%"]);
  assert.equal(placementOf([logged("I", "[TRT] [DlaLayer] {ForeignNode[a...b]}"), logged("I", "[TRT] [GpuLayer] SOFTMAX: c")].join("\n")), { dla: ["{ForeignNode[a...b]}"], gpu: ["SOFTMAX: c"] });
  assert.is(throughputOf(logged("I", "Throughput: 285.714 qps")), 285.714);
  assert.is(throughputOf(logged("I", "Throughput: 1.2e+03 qps")), 1200);
  refuses(() => throughputOf(logged("I", "Throughput: 285,714 qps")), "decimal comma");
  refuses(() => throughputOf(logged("I", "Throughput: 285")), "no `Throughput");
  refuses(() => throughputOf(""), "no `Throughput");
  assert.ok(isForeignEngine("[E] [TRT] 1: [stdArchiveReader.cpp::StdArchiveReader::42] Error Code 1: Serialization (Serialization assertion stdVersionRead == serializationVersion failed.Version tag does not match."));
  assert.ok(isForeignEngine("The engine plan file is not compatible with this version of TensorRT") && !isForeignEngine("[E] no file"));
  assert.ok(isOutOfMemory("Error Code 2: OutOfMemory (no further information)") && !isOutOfMemory("memory pool limits"));
});

test("the script of ONNX Runtime: a silent fallback to the CPU is an error", () => {
  const result = { version: "1.23.0", providers: ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], loadSeconds: 1, warmup: 5, latencyMs: [4], nodes: [{ name: "TRTKernel_graph_0", op: "TRTKernel", provider: "TensorrtExecutionProvider" }] };
  assert.equal(parseOrtResult(`noise\n${JSON.stringify(result)}\n`), result);
  assertProviders("orin", "m", result);
  const code = (changed: Partial<typeof result>): string => {
    try {
      assertProviders("orin", "m", { ...result, ...changed });
    } catch (error) {
      return (error as UserError).code;
    }
    return "";
  };
  assert.is(code({ nodes: [...result.nodes, { name: "NMS", op: "NonMaxSuppression", provider: "CPUExecutionProvider" }] }), "PROVIDER_FALLBACK");
  assert.is(code({ nodes: [{ name: "Conv", op: "Conv", provider: "CUDAExecutionProvider" }] }), "PROVIDER_FALLBACK", "all on CUDA");
  assert.is(code({ nodes: [] }), "PROVIDER_FALLBACK", "no proof at all");
  assert.is(code({ providers: ["CPUExecutionProvider"] }), "PROVIDER_MISSING");
  refuses(() => parseOrtResult(JSON.stringify(result).slice(0, 50)), "cut off");
  refuses(() => parseOrtResult(JSON.stringify({ ...result, latencyMs: ["4,1"] })), "latencyMs");
  refuses(() => parseOrtResult(""), "no JSON");
});

test("the probe's sections: an empty one is a missing tool, not an error", () => {
  const facts = factsOf(sectionsOf("== release\n== model\n\n== trtexec\n\n== help\n== power\n== python\n== overcurrent\n"));
  assert.equal(facts, { l4t: null, jetpack: null, model: null, compatible: null, tensorrt: null, trtexec: null, powerMode: null, onnxruntime: null, overCurrent: {} });
  refuses(() => factsOf(sectionsOf("== trtexec\n/usr/src/tensorrt/bin/trtexec\n== help\nIllegal instruction\n")), "no TensorRT version");
});

test.run();
