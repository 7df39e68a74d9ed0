import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { preprocessPreset, type Head, type OutputTensor, type Preprocess } from "../../vision/index.ts";
import { seededNumbers } from "../helpers/models.ts";
import { pattern } from "../vision/images.ts";
import { writeCppBundle } from "./cpp-bundle.ts";
import { compiled, compilers, ctest, sanitized, temporary } from "./cpp-toolchain.ts";

const coreOnly = ["-DEDGESTILL_BACKEND=none", ...sanitized];

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

for (const [index, [name, { contract, head, output, multiLabel = false }]] of Object.entries(cases).entries())
  compiled(`C++ equals TypeScript byte for byte: ${name}`, false, async () => {
    const folder = await temporary();
    await writeCppBundle(folder, { name: "Odd sizes 7", head, contract, classes, output, options: { ...options, multiLabel }, pictures: oddSizes.map(([width, height]) => pattern(width, height)) });
    assert.match(await readFile(join(folder, "golden/index.txt"), "utf8"), /^box /m);
    assert.match(await ctest(folder, compilers[index % compilers.length]!, coreOnly, {}, "golden"), /14 pictures agree/);
  });

compiled("a changed byte of a golden vector fails the C++ test with its name", false, async () => {
  const folder = await temporary();
  const { contract, head, output } = Object.values(cases)[0]!;
  await writeCppBundle(folder, { name: "x", head, contract, classes, options, output, pictures: [pattern(50, 40)] });
  const file = join(folder, "golden/0-50x40.input.rgb");
  const bytes = await readFile(file);
  bytes[1000]! ^= 1;
  await writeFile(file, bytes);
  const message = await ctest(folder, compilers[0]!, coreOnly, {}, "golden").then(() => "", (error: unknown) => String(error));
  assert.match(message, /0-50x40: the resized picture differs/);
});

test.run();
