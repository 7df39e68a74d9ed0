import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { onnxRuntimeFiles, onnxRuntimeRoot, type OnnxRuntimeFiles } from "../../examples/perception-node/onnxruntime.ts";
import { stageReport } from "../../pipeline/result.ts";
import { compiled, compilers, ctest, oneMissing, run, sanitized, temporary } from "./cpp-toolchain.ts";
import { tinyRun } from "./tiny-run.ts";

const root = join(import.meta.dirname, "../..");
const runtime = compilers.length > 0 ? await onnxRuntimeFiles() : "no compiler";
const noRuntime = typeof runtime === "string" && runtime;

let tiny: Promise<string> | undefined;
/** The bundle of a small run: float and int8 files, golden vectors of all stress pictures. */
const realBundle = (): Promise<string> => (tiny ??= (async () => {
  const { runFolder, result } = await tinyRun(await temporary());
  return join(runFolder, stageReport(result, "bundle")!["folder"] as string);
})());
const ready = (): OnnxRuntimeFiles => runtime as OnnxRuntimeFiles;
const runtimeOptions = async (): Promise<string[]> => [`-DONNXRUNTIME_ROOT=${await onnxRuntimeRoot(await temporary(), ready())}`];

const checked = (name: string, compiler: string, extra: readonly string[], env: Record<string, string> = {}): void =>
  compiled(`a bundle's models on ONNX Runtime, ${name}: golden vectors hold, int8 bit for bit, no allocation after the first frame`, oneMissing(compiler) || noRuntime, async () => {
    const output = await ctest(await realBundle(), compiler, [...(await runtimeOptions()), ...extra], env);
    assert.match(output, /portrait float: worst difference/);
    assert.match(output, /portrait int8_cpu: worst difference 0\n/);
    assert.match(output, /float: 0 allocations in 12 frames/);
    assert.match(output, /int8_cpu: 0 allocations in 12 frames/);
  });
// The runtime keeps what it allocates until the process ends, so only errors count, not leaks.
const sanitizers = { ASAN_OPTIONS: "detect_leaks=0" };
checked("g++", "g++", []);
checked("g++ with sanitizers", "g++", sanitized, sanitizers);
checked("clang with sanitizers", "clang++", sanitized, sanitizers);

compiled("the perception node finds the installed bundle through CMake and prints boxes and times", noRuntime, async () => {
  const bundle = await realBundle();
  const [build, prefix] = [await temporary(), await temporary()];
  await run("cmake", ["-S", join(bundle, "cpp"), "-B", build, `-DCMAKE_CXX_COMPILER=${compilers[0]!}`, "-DEDGESTILL_BACKEND=none", "-DBUILD_TESTING=OFF"]);
  await run("cmake", ["--install", build, "--prefix", prefix]);
  const installed = join(prefix, "share/tiny");
  const output = await run(process.execPath, ["--import", "tsx", join(root, "examples/perception-node/run.ts"), "--bundle", installed, "--model", "int8_cpu"], { EDGESTILL_ORT_INCLUDE: ready().includeDir });
  assert.match(output, /scene-11.ppm 320x192/);
  for (const stage of ["preprocess", "inference", "postprocess", "all"]) assert.match(output, new RegExp(`^${stage} +p50 +\\d+\\.\\d{3} ms`, "m"));
});

test.run();
