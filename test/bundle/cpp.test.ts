import { execa } from "execa";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage, preprocessPreset, type Head, type Image8, type OutputTensor, type Preprocess } from "../../vision/index.ts";
import { assetPath, seededNumbers } from "../helpers/models.ts";
import { pattern } from "../vision/images.ts";
import { writeCppBundle, writeModelBundle, type TestBundle } from "./cpp-bundle.ts";
import { onnxRuntimeFiles, onnxRuntimeRoot } from "./onnxruntime.ts";

const works = async (command: string): Promise<boolean> => (await execa(command, ["--version"], { reject: false })).exitCode === 0;
const cmake = await works("cmake");
const compilers = cmake ? (await Promise.all(["g++", "clang++"].map(async (name) => ((await works(name)) ? name : "")))).filter(Boolean) : [];
const runtime = compilers.length > 0 ? await onnxRuntimeFiles() : "no compiler";

/** Runs where a C++ compiler is; says what is missing elsewhere. */
const compiled = (name: string, missing: string | false, body: () => Promise<void>): void => {
  const reason = !cmake ? "cmake is not installed" : compilers.length === 0 ? "neither g++ nor clang++ is installed" : missing;
  if (reason) {
    console.warn(`skipped, ${reason}: ${name}`);
    test.skip(name);
  } else test(name, body);
};
const noRuntime = typeof runtime === "string" && runtime;
const oneMissing = (name: string): string | false => !compilers.includes(name) && `${name} is not installed`;

const folders: string[] = [];
const temporary = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-cpp-"));
  folders.push(folder);
  return folder;
};
test.after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const coreOnly = ["-DEDGESTILL_BACKEND=none", "-DCMAKE_BUILD_TYPE=Debug"];

/** Configures, builds and runs ctest; the whole output is in the error. */
const ctest = async (bundle: string, compiler: string, options: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const build = join(await temporary(), "build");
  await run("cmake", ["-S", join(bundle, "cpp"), "-B", build, `-DCMAKE_CXX_COMPILER=${compiler}`, ...options]);
  await run("cmake", ["--build", build, "--parallel", "2"]);
  return run("ctest", ["--test-dir", build, "--output-on-failure", "--no-tests=error", "--verbose"], env);
};
const run = async (command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const { exitCode, all } = await execa(command, args, { reject: false, all: true, env });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${exitCode}\n${all.slice(-3000)}`);
  return all;
};

const oddSizes = [[1, 1], [1, 9], [640, 1], [97, 61], [194, 122], [61, 97], [333, 777], [40, 25], [200, 123], [1280, 720], [96, 60], [195, 121], [98, 62], [3, 2]] as const;
const options = { scoreThreshold: 0.3, iouThreshold: 0.5, multiLabel: false, maxDetections: 100 };
const classes = ["car", "truck", "stop \"sign\" \\ 停"];

/** Boxes that overlap now and then, scores in 0..1 with ties. */
const madeOutput = (name: string, rows: number, columns: number, channelsFirst: boolean, value: (row: number, column: number, random: number) => number): OutputTensor => {
  const random = seededNumbers(rows * columns, rows + columns);
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < columns; c++) data[channelsFirst ? c * rows + row : row * columns + c] = value(row, c, random[row * columns + c]!);
  return { name, dims: channelsFirst ? [1, columns, rows] : [1, rows, columns], data };
};
const tied = (score: number): number => Math.round(score ** 4 * 40) / 40;

const size = [97, 61] as const;
const strides = [8, 16, 32];
const cells = strides.reduce((sum, s) => sum + Math.ceil(size[0] / s) * Math.ceil(size[1] / s), 0);
const dense = { kind: "dense", classCount: classes.length, outputNames: ["y"], size, needsNms: true, strides } as const;
const pixelBox = (c: number, r: number): number => r * [97, 61, 40, 30][c]!;

interface Case {
  readonly contract: Preprocess;
  readonly head: Head;
  readonly output: OutputTensor;
  readonly multiLabel?: boolean;
}

const letterbox: Preprocess = preprocessPreset("yolov8", size);
const cases: Readonly<Record<string, Case>> = {
  "yolov8 rows by channel, centred letterbox, RGB/255": {
    contract: letterbox, head: { ...dense, family: "yolov8", channelsFirst: true, objectness: false, raw: false },
    output: madeOutput("y", cells, 7, true, (_, c, r) => (c < 4 ? pixelBox(c, r) : tied(r))),
  },
  "the same, every class of an anchor": {
    multiLabel: true, contract: letterbox, head: { ...dense, family: "yolov8", channelsFirst: true, objectness: false, raw: false },
    output: madeOutput("y", cells, 7, true, (_, c, r) => (c < 4 ? pixelBox(c, r) : tied(r))),
  },
  "yolox rows as trained, top-left letterbox, BGR 0-255": {
    contract: preprocessPreset("yolox", size), head: { ...dense, family: "yolox", channelsFirst: false, objectness: true, raw: true },
    output: madeOutput("y", cells, 8, false, (_, c, r) => (c < 2 ? r * 2 - 0.5 : c < 4 ? r * 2 - 0.5 : r)),
  },
  "yolov5 rows, stretched, BGR with mean and std": {
    contract: { ...letterbox, resize: "stretch", order: "bgr", scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    head: { ...dense, family: "yolov5", channelsFirst: false, objectness: true, raw: false }, multiLabel: true,
    output: madeOutput("y", 3 * cells, 8, false, (_, c, r) => (c < 4 ? pixelBox(c, r) : r)),
  },
  "end-to-end rows, pad 0, mean of 0-255": {
    contract: { ...letterbox, pad: 0, scale: 1, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    head: { kind: "rows", family: "end2end", classCount: 3, outputNames: ["y"], size, needsNms: false },
    output: madeOutput("y", 50, 6, false, (_, c, r) => (c < 4 ? r * 60 + (c > 1 ? 20 : 0) : c === 4 ? r : r * 4 - 0.5)),
  },
};

for (const [name, { contract, head, output, multiLabel = false }] of Object.entries(cases))
  compiled(`C++ equals TypeScript byte for byte: ${name}`, false, async () => {
    const folder = await temporary();
    const bundle: TestBundle = {
      name: "Odd sizes 7", head, contract, classes, options: { ...options, multiLabel }, anchors: output.dims[head.kind === "dense" && head.channelsFirst ? 2 : 1]!, models: [],
      pictures: oddSizes.map(([width, height]) => pattern(width, height)), outputs: () => Promise.resolve([output]),
    };
    await writeCppBundle(folder, bundle);
    assert.match(await readFile(join(folder, "golden/index.txt"), "utf8"), /^box /m);
    assert.match(await ctest(folder, compilers[0]!, coreOnly), /14 pictures agree[^]*0 allocations in 12 frames/);
  });

compiled("a changed byte of a golden vector fails the C++ test with its name", false, async () => {
  const folder = await temporary();
  const { contract, head, output } = Object.values(cases)[0]!;
  await writeCppBundle(folder, { name: "x", head, contract, classes, options, anchors: cells, models: [], pictures: [pattern(50, 40)], outputs: () => Promise.resolve([output]) });
  const file = join(folder, "golden/0-50x40.net.rgb");
  const bytes = await readFile(file);
  bytes[1000]! ^= 1;
  await writeFile(file, bytes);
  const message = await ctest(folder, compilers[0]!, coreOnly).then(() => "", (error: unknown) => String(error));
  assert.match(message, /0-50x40: the resized picture differs/);
});

const teacher = join(import.meta.dirname, "../../examples/roadscenes/teacher.onnx");
const realPictures = async (): Promise<Image8[]> => {
  const photo = assetPath("photos/bus.jpg");
  return [pattern(320, 192), pattern(641, 359), pattern(1, 1), pattern(200, 555), ...(existsSync(photo) ? [await decodeImage(photo)] : [])];
};
const runtimeOptions = async (): Promise<string[]> => [`-DONNXRUNTIME_ROOT=${await onnxRuntimeRoot(await temporary(), runtime as Exclude<typeof runtime, string>)}`];

const checked = (name: string, compiler: string, extra: readonly string[], env: Record<string, string> = {}): void =>
  compiled(`the road-scenes detector on ONNX Runtime ${name}`, oneMissing(compiler) || noRuntime, async () => {
    const folder = await temporary();
    const model = { key: "float", source: teacher, session: {}, tolerance: 1e-4 };
    await writeModelBundle(folder, "roadscenes", [model], await realPictures(), { ...options, scoreThreshold: 0.01 });
    const output = await ctest(folder, compiler, [...(await runtimeOptions()), ...extra], env);
    assert.match(output, /worst difference[^]*pictures agree/);
    assert.match(output, /float: 0 allocations in 12 frames/);
  });
const sanitized = ["-DEDGESTILL_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=Debug"];
// The runtime keeps what it allocates until the process ends, so only errors count, not leaks.
const sanitizers = { ASAN_OPTIONS: "detect_leaks=0" };
checked("with g++", "g++", []);
checked("with g++ and the sanitizers", "g++", sanitized, sanitizers);
checked("with clang and the sanitizers", "clang++", sanitized, sanitizers);

test.run();
