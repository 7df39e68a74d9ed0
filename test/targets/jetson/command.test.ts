import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TensorrtVersion } from "../../../targets/jetson/check/finding.ts";
import { buildCommand, measureCommand, profileCommand, type BuildOptions, type Trtexec } from "../../../targets/jetson/command.ts";
import { engineKey, timingCacheKey } from "../../../targets/jetson/engine.ts";
import { providerOptions } from "../../../targets/jetson/ort.ts";

const trtexec = (version: TensorrtVersion, ...options: string[]): Trtexec => ({ path: "/usr/src/tensorrt/bin/trtexec", version, options: new Set(options) });
const build = (version: TensorrtVersion, more: Partial<BuildOptions> = {}, ...options: string[]): string[] =>
  buildCommand(trtexec(version, ...options), { onnx: "/m.onnx", engine: "/e", timingCache: "/t", precision: "int8", ...more }).slice(1);

for (const [version, precision, flags] of [
  [{ major: 8, minor: 5 }, "int8", ["--int8", "--fp16"]], [{ major: 8, minor: 5 }, "fp16", ["--fp16"]], [{ major: 8, minor: 5 }, "fp32", []],
  [{ major: 10, minor: 3 }, "int8", ["--int8", "--fp16"]], [{ major: 10, minor: 3 }, "fp16", ["--fp16"]],
  [{ major: 11, minor: 4 }, "int8", []], [{ major: 11, minor: 4 }, "fp16", []], [{ major: 11, minor: 4 }, "fp32", []],
] as const) {
  test(`TensorRT ${version.major}.${version.minor}, ${precision}: precision flags ${flags.join(" ") || "none"}`, () => {
    assert.equal(build(version, { precision }).filter((flag) => /int8|fp16|best|stronglyTyped/.test(flag)), [...flags]);
  });
}

test("a build measures nothing; options follow the release and what --help lists", () => {
  assert.equal(build({ major: 10, minor: 3 }, { shapes: "images:1x3x320x320", workspaceMiB: 512 }), ["--onnx=/m.onnx", "--saveEngine=/e", "--timingCacheFile=/t", "--int8", "--fp16", "--shapes=images:1x3x320x320", "--memPoolSize=workspace:512", "--profilingVerbosity=detailed", "--skipInference"]);
  assert.equal(build({ major: 8, minor: 2 }, { workspaceMiB: 512 }, "--nvtxMode"), ["--onnx=/m.onnx", "--saveEngine=/e", "--timingCacheFile=/t", "--int8", "--fp16", "--workspace=512", "--nvtxMode=verbose", "--buildOnly"]);
  assert.ok(build({ major: 8, minor: 5 }).includes("--buildOnly") && build({ major: 8, minor: 6 }).includes("--skipInference"));
});

test("a DLA is used with fallback in the build, and by number in the run", () => {
  assert.equal(build({ major: 8, minor: 5 }, { dlaCore: 1 }).filter((flag) => /DLA|Fallback/.test(flag)), ["--useDLACore=1", "--allowGPUFallback"]);
  const options = { engine: "/e", dlaCore: 1, warmUpMs: 1000, seconds: 10, runs: 200, times: "/times.json" };
  assert.ok(measureCommand(trtexec({ major: 8, minor: 5 }), options).includes("--useDLACore=1"));
});

test("all releases measure alike: copies counted, spinning, CUDA graph; profiling apart", () => {
  const options = { engine: "/e", warmUpMs: 1000, seconds: 10, runs: 200, times: "/times.json" };
  const common = ["--loadEngine=/e", "--warmUp=1000", "--duration=10", "--iterations=200"];
  assert.equal(measureCommand(trtexec({ major: 8, minor: 2 }), options).slice(1), [...common, "--useSpinWait", "--useCudaGraph", "--exportTimes=/times.json"]);
  assert.equal(measureCommand(trtexec({ major: 10, minor: 16 }), options).slice(1), [...common, "--useSpinWait", "--useCudaGraph", "--exportTimes=/times.json"]);
  assert.equal(measureCommand(trtexec({ major: 11, minor: 4 }), options).slice(1), [...common, "--includeDataTransfers", "--exportTimes=/times.json"]);
  assert.not(measureCommand(trtexec({ major: 10, minor: 3 }), options).some((flag) => /rofile/.test(flag)));
  const profile = profileCommand(trtexec({ major: 11, minor: 4 }), { engine: "/e", profile: "/p.json", layers: "/l.json" });
  assert.ok(profile.includes("--exportProfile=/p.json") && profile.includes("--exportLayerInfo=/l.json") && !profile.some((flag) => flag.startsWith("--exportTimes")));
});

test("an engine is another for each of model, TensorRT, GPU, precision, shapes, DLA; the timing cache for TensorRT and GPU", () => {
  const request = { model: { name: "m", sha256: "aa" }, onnx: "/m.onnx", release: { major: 10, minor: 3, patch: 0 }, gpu: "nvidia,p3767-0003 nvidia,tegra234", precision: "int8" as const };
  const keys = [request, { ...request, model: { name: "m", sha256: "bb" } }, { ...request, release: { major: 10, minor: 3, patch: 1 } }, { ...request, gpu: "nvidia,p3701-0005 nvidia,tegra234" },
    { ...request, precision: "fp16" as const }, { ...request, shapes: "x:1x3x8x8" }, { ...request, dlaCore: 0 }, { ...request, workspaceMiB: 64 }].map(engineKey);
  assert.is(new Set(keys).size, keys.length);
  assert.is(engineKey({ ...request, onnx: "/elsewhere.onnx", model: { name: "renamed", sha256: "aa" } }), keys[0], "neither name nor place matters");
  assert.is.not(timingCacheKey(request.release, "a"), timingCacheKey(request.release, "b"));
});

test("options of ONNX Runtime's provider", () => {
  assert.equal(providerOptions({ precision: "int8", folder: "/c", workspaceMiB: 1 }), { trt_fp16_enable: true, trt_int8_enable: true, trt_engine_cache_enable: true, trt_engine_cache_path: "/c", trt_timing_cache_enable: true, trt_timing_cache_path: "/c", trt_max_workspace_size: 2 ** 20 });
  assert.is(providerOptions({ precision: "fp32", folder: "/c" })["trt_fp16_enable"], false);
  assert.is(providerOptions({ precision: "fp16", folder: "/c", dlaCore: 0 })["trt_dla_core"], 0);
});

test.run();
