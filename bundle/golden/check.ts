import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDetector, runDetector, type DetectorModel, type RunningDetector } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import { decodeImage, detect, fit, letterbox8, toTensor, type Detection, type Image8 } from "../../vision/index.ts";
import { isInside, leavesBundle, listFiles } from "../checksums.ts";
import type { Manifest } from "../manifest-schema.ts";
import { modelKey } from "../names.ts";
import { goldenIndex } from "./files.ts";
import { bytesOf, fnv1a64 } from "./fnv.ts";
import { parseGoldenIndex, type GoldenIndex, type IndexedOutput, type IndexedPicture } from "./index-file.ts";

/** Decodes, letterboxes, runs every model and decodes boxes again, against what the bundle holds. Throws UserError GOLDEN_DIFFERS at the first difference. */
export const checkGolden = async (folder: string, manifest: Manifest, signal?: AbortSignal): Promise<{ readonly pictures: number; readonly runs: number }> => {
  const read = (path: string): Promise<Buffer> => {
    if (!isInside(path)) throw leavesBundle(path);
    return readFile(join(folder, path));
  };
  const index = parseGoldenIndex((await read(goldenIndex)).toString());
  const paths = await listFiles(folder, "golden");
  const models = await openModels(folder, manifest);
  let runs = 0;
  try {
    for (const picture of index.pictures) {
      signal?.throwIfAborted();
      const source = paths.find((path) => path === `golden/${picture.id}.png` || path === `golden/${picture.id}.jpg`);
      if (source === undefined) throw differs(picture.id, "the encoded picture", "it is not there");
      const image = await checkPixels(picture, await decodeImage(await read(source), { name: source }), manifest, read);
      for (const output of picture.outputs) {
        const running = models.get(output.key);
        if (!running) throw differs(picture.id, `the output of ${output.key}`, "the manifest has no such model");
        await checkOutput(picture, image, output, running, index, await read(output.file));
        runs++;
      }
    }
  } finally {
    for (const running of models.values()) await running.close();
  }
  return { pictures: index.pictures.length, runs };
};

const openModels = async (folder: string, manifest: Manifest): Promise<Map<string, RunningDetector>> => {
  const open = new Map<string, RunningDetector>();
  for (const { role, file, session } of manifest.models) {
    const model: DetectorModel = { ...(await loadDetector(join(folder, file), { classes: manifest.classes })), contract: manifest.preprocess.contract };
    open.set(modelKey(role), await runDetector(model, { threads: 1, extra: session }, join(folder, file)));
  }
  return open;
};

const checkPixels = async (picture: IndexedPicture, image: Image8, { preprocess: { contract } }: Manifest, read: (path: string) => Promise<Buffer>): Promise<Image8> => {
  if (image.width !== picture.width || image.height !== picture.height) throw differs(picture.id, "the decoded size", `${image.width}x${image.height} instead of ${picture.width}x${picture.height}`);
  sameBytes(picture.id, "the decoded picture", image.data, await read(picture.file));
  const letterboxed = letterbox8(image, contract);
  sameBytes(picture.id, "the resized and padded picture", letterboxed.data, await read(picture.letterbox));
  const tensor = new Float32Array(letterboxed.data.length);
  toTensor(letterboxed.data, contract, tensor);
  if (fnv1a64(bytesOf(tensor)) !== picture.tensor) throw differs(picture.id, "the input tensor", "its hash is another");
  return image;
};

const checkOutput = async (picture: IndexedPicture, image: Image8, output: IndexedOutput, running: RunningDetector, { thresholds }: GoldenIndex, stored: Buffer): Promise<void> => {
  const outputs = await running.run([image]);
  const [first] = outputs;
  const wanted = new Float32Array(Uint8Array.from(stored).buffer);
  if (!first || first.data.length !== wanted.length) throw differs(picture.id, `the output of ${output.key}`, `${first?.data.length ?? 0} values instead of ${wanted.length}`);
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(Number(first.data[i]) - wanted[i]!);
    if (!(difference <= output.tolerance)) throw differs(picture.id, `value ${i} of the output of ${output.key}`, `${String(first.data[i])} instead of ${wanted[i]!}, tolerance ${output.tolerance}`);
  }
  // Boxes are made from the stored output: the same values must give the same boxes everywhere.
  const boxes = detect(running.model.head, [{ ...first, data: wanted }, ...outputs.slice(1)], 0, fit(running.model.contract, image.width, image.height), thresholds);
  sameBoxes(picture.id, output, boxes);
};

const sameBoxes = (id: string, { key, boxes: wanted, pixelTolerance }: IndexedOutput, boxes: readonly Detection[]): void => {
  if (boxes.length !== wanted.length) throw differs(id, `the number of boxes of ${key}`, `${boxes.length} instead of ${wanted.length}`);
  for (const [i, { box, score, classIndex }] of boxes.entries()) {
    const other = wanted[i]!;
    const isSame = classIndex === other.classIndex && Math.abs(score - other.score) <= 1e-6 && box.every((value, at) => Math.abs(value - other.box[at]!) <= pixelTolerance);
    if (!isSame) throw differs(id, `box ${i} of ${key}`, `[${box.join(", ")}] class ${classIndex} score ${score} instead of [${other.box.join(", ")}] class ${other.classIndex} score ${other.score}`);
  }
};

const sameBytes = (id: string, what: string, found: Uint8Array, wanted: Uint8Array): void => {
  if (found.length !== wanted.length) throw differs(id, what, `${found.length} bytes instead of ${wanted.length}`);
  const at = found.findIndex((byte, i) => byte !== wanted[i]);
  if (at !== -1) throw differs(id, what, `byte ${at} is ${found[at]!} instead of ${wanted[at]!}`);
};

const differs = (id: string, what: string, how: string): UserError =>
  new UserError("GOLDEN_DIFFERS", `Golden picture "${id}": ${what} differs: ${how}.`, "this machine or this version does not compute what the bundle states; compare the runtime's version with manifest.json (tool), and verify on the machine that made the bundle.");
