import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archiveOf } from "../../../bundle/archive.ts";
import { checksumsFile, checksumsText, measuredChecksumsFile } from "../../../bundle/checksums.ts";
import { parseGoldenIndex } from "../../../bundle/golden/index-file.ts";
import { isMeasured } from "../../../bundle/measured.ts";
import { unpackArchive } from "../../../bundle/unpack.ts";
import { verifyBundle } from "../../../bundle/verify.ts";
import { verifyBundleFolder } from "../../../pipeline/bundle/verify.ts";
import { preprocessPreset } from "../../../vision/index.ts";
import { mutateBytes } from "../bytes.ts";
import { must, textOf, textSeed, type Kind, type Seed } from "../kind.ts";
import { mutateJson, mutateText } from "../text.ts";

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const zeros = "0".repeat(64);

const model = encode("the bytes of a model: nobody opens them here");
const port = (name: string, shape: readonly number[]) => ({ name, dtype: "float32", shape });
const manifest = {
  schema: "edgestill-bundle/2",
  name: "tiny-01234567",
  run: "tiny",
  hash: "01234567",
  tool: { name: "edgestill", version: "0.1.0", onnxruntime: "1.30.0" },
  formats: ["cpp"],
  models: [
    {
      role: "float",
      file: "models/tiny.onnx",
      variant: "distilled",
      sha256: sha256(model),
      sizeBytes: model.length,
      parameters: 10,
      macs: 100,
      opset: 17,
      precision: "float32",
      inputs: [port("images", [1, 3, 64, 64])],
      outputs: [port("output0", [1, 6, 84])],
      session: {},
    },
  ],
  classes: ["car", "dog"],
  preprocess: {
    contract: preprocessPreset("yolov8", [64, 64]),
    resampling: "bilinear",
    formula: "x",
    geometry: "letterbox",
  },
  decode: {
    family: "yolov8",
    input: "images",
    outputs: ["output0"],
    layout: "x",
    channelsFirst: true,
    objectness: false,
    raw: false,
    strides: [8, 16, 32],
    anchors: 84,
    boxes: "cxcywh",
  },
  thresholds: { score: 0.25, iou: 0.45, maxDetections: 300, nms: "per class", multiLabel: false },
  provenance: {
    config: {},
    configSha256: zeros,
    seed: 1,
    data: { train: null, val: zeros, trainImages: null, valImages: 4 },
    teachers: [{ file: "teacher.onnx", sha256: zeros }],
    lineage: [
      {
        name: "distilled",
        stage: "distilled",
        parent: null,
        sha256: zeros,
        parameters: 10,
        macs: 100,
        sizeBytes: 10,
        map: 0.5,
        map50: 0.7,
      },
    ],
    stages: [{ name: "distill", hash: zeros }],
  },
  accuracy: [],
  gates: [{ name: "mapDrop", limit: 0.1, value: 0.05, passed: true }],
  requirements: [
    {
      id: "R1",
      metric: "map",
      limit: 0.5,
      slice: "all",
      relation: ">=",
      model: "models/tiny.onnx",
      measured: 0.5,
      low: 0.4,
      high: 0.6,
      passed: true,
      evidence: "evidence/accuracy.json",
    },
  ],
  limits: ["not for fog"],
  notes: [],
  statement: "x",
  signature: null,
};
const golden =
  "edgestill-golden 1\nthresholds 0.25 0.45 300 0\npicture p0 64 48 golden/p0.rgb\nletterbox golden/p0.letterbox\ntensor golden/p0.tensor\noutput float 0.0001 golden/p0.f32\nboxes float 1 0.001\nbox 1 2 3 4 0.9 1\n";

const timings = {
  schema: "edgestill-timings/1",
  environment: {},
  latency: [],
  gates: [{ name: "local.p50Ms", limit: 5, value: 4, passed: true }],
  requirements: [],
};
const lists: ReadonlySet<string> = new Set([checksumsFile, measuredChecksumsFile]);

/** The files of a small bundle that verify accepts; `changed` take the place of its own, and the checksums follow. */
const bundleWith = (changed: Readonly<Record<string, Uint8Array>> = {}): Map<string, Uint8Array> => {
  const all = new Map(
    Object.entries({
      "manifest.json": encode(JSON.stringify(manifest, null, 1)),
      "models/tiny.onnx": model,
      "evidence/accuracy.json": encode("{}"),
      "golden/index.txt": encode(golden),
      "measured/timings.json": encode(JSON.stringify(timings)),
      "README.md": encode("# tiny\n"),
      "build.sh": encode("#!/bin/sh\n"),
      ...changed,
    }),
  );
  const of = (measured: boolean) =>
    new Map([...all].filter(([path]) => !lists.has(path) && isMeasured(path) === measured));
  const content = all.get(checksumsFile) ?? encode(checksumsText(of(false)));
  all.set(checksumsFile, content);
  return all.set(
    measuredChecksumsFile,
    changed[measuredChecksumsFile] ?? encode(checksumsText(of(true).set(checksumsFile, content))),
  );
};

const contentsOf = async (folder: string): Promise<string> => {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return JSON.stringify(
    await Promise.all(names.map(async (name) => [name.slice(folder.length), sha256(await readFile(name))])),
  );
};

let archive: Promise<readonly Seed[]> | undefined;

/**
 * Archives as bytes. Whatever is accepted holds what the bundle held, to the byte, and nothing is written beside it.
 */
export const archives: Kind = {
  name: "archives",
  about:
    "the .tar of a bundle, changed as bytes: unpack and verify; what is accepted holds the same files, nothing lies outside",
  share: 60,
  seeds: () => (archive ??= archiveOf("tiny-01234567", bundleWith()).then((bytes) => [{ name: "bundle.tar", bytes }])),
  mutate: ({ bytes }, random) => mutateBytes(bytes, random),
  open: async (folder) => {
    const [own, into] = [join(folder, "bundle.tar"), join(folder, "out", "into")];
    const write = async (bytes: Uint8Array): Promise<string> => {
      await rm(join(folder, "out"), { recursive: true, force: true });
      await mkdir(into, { recursive: true });
      await writeFile(own, bytes);
      const top = await unpackArchive(own, into);
      await verifyBundle(top, { run: false });
      return contentsOf(top);
    };
    const [{ bytes: seed }] = (await archives.seeds()) as [Seed];
    const expected = await write(seed);
    return async ({ bytes }) => {
      try {
        must((await write(bytes)) === expected, "an archive with other contents is accepted");
      } finally {
        must(
          (await readdir(join(folder, "out"))).join() === "into" && (await readdir(folder)).length === 2,
          "something was written outside of the folder",
        );
      }
    };
  },
  command: (file) => ["verify", file, "--no-run"],
};

/** Contents of a bundle whose checksums were made anew, as whoever forges one does. */
export const manifests: Kind = {
  name: "manifests",
  about: "manifest, golden index, timings and the two lists of sums of a bundle, sealed again after the change: verify",
  share: 60,
  seeds: () => [
    textSeed("manifest.json", JSON.stringify(manifest)),
    textSeed("golden/index.txt", golden),
    textSeed("measured/timings.json", JSON.stringify(timings)),
    ...[checksumsFile, measuredChecksumsFile].map((list) =>
      textSeed(list, new TextDecoder().decode(bundleWith().get(list))),
    ),
  ],
  mutate: ({ name, bytes }, random) => (name.endsWith(".json") ? mutateJson : mutateText)(bytes, random),
  open: (folder) => async (input) => {
    const root = join(folder, "tiny-01234567");
    await rm(root, { recursive: true, force: true });
    const files = bundleWith({ [input.name]: input.bytes });
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
    }
    if (input.name === "golden/index.txt") {
      const { pictures, thresholds } = parseGoldenIndex(textOf(input));
      const numbers = [
        ...Object.values(thresholds).map(Number),
        ...pictures.flatMap(({ width, height, outputs }) => [
          width,
          height,
          ...outputs.flatMap(({ tolerance, pixelTolerance, boxes }) => [
            tolerance,
            pixelTolerance,
            ...boxes.flatMap(({ box, score, classIndex }) => [...box, score, classIndex]),
          ]),
        ]),
      ];
      must(
        numbers.every((value) => !Number.isNaN(value)),
        "the golden index is read with what is no number: a tolerance that always holds",
      );
    }
    const { files: count } = await verifyBundleFolder(root, { run: false });
    must(count === files.size - 1, `${count} files are verified, of ${files.size - 1}`); // all but the list that nothing lists
  },
};
