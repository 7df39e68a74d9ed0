import { basename, join } from "node:path";
import { loadDetector, runDetector, type DetectorModel } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import { readPlainFile } from "../../input/read.ts";
import { sha256Of } from "../../files/digest.ts";
import type { PictureAnswer, PicturesTask } from "../../targets/pictures.ts";
import { decodeImage, detect, fit, letterbox8, toTensor, type Detection, type Image8, type OutputTensor } from "../../vision/index.ts";
import { bundleLimits, isInside, leavesBundle, listFiles } from "../checksums.ts";
import { modelRoles, type Manifest, type ModelRole } from "../manifest-schema.ts";
import { modelKey } from "../names.ts";
import { goldenIndex, storedTypes } from "./files.ts";
import { bytesOf, fnv1a64 } from "./fnv.ts";
import { parseGoldenIndex, type GoldenIndex, type IndexedOutput, type IndexedPicture } from "./index-file.ts";

/** A model file and the golden pictures that it is run on. */
export interface GoldenTask extends PicturesTask {
  readonly model: DetectorModel;
}

/** A machine that runs model files on pictures. */
export interface GoldenMachine {
  /** For people: "pi5". */
  readonly name: string;
  /** Files that its runtime computes as stated. */
  readonly roles: readonly ModelRole[];
  /** Answers by task, then by picture. */
  run(tasks: readonly GoldenTask[], signal: AbortSignal | undefined): Promise<readonly (readonly PictureAnswer[])[]>;
}

/** This machine runs every file with ONNX Runtime. */
const thisMachine: GoldenMachine = {
  name: "this machine", roles: modelRoles,
  run: async (tasks, signal) => {
    const answers: PictureAnswer[][] = [];
    for (const { session, path, model, pictures } of tasks) {
      const running = await runDetector(model, session, path);
      const own: PictureAnswer[] = [];
      try {
        for (const picture of pictures) {
          signal?.throwIfAborted();
          own.push({ outputs: await running.run([picture]) });
        }
      } finally {
        await running.close();
      }
      answers.push(own);
    }
    return answers;
  },
};

export interface GoldenOutcome {
  readonly pictures: number;
  readonly runs: number;
  /** Where the models ran, and files that cannot run there. */
  readonly machine: string;
  readonly skipped: readonly ModelRole[];
}

/** Decodes and letterboxes here, runs the models on `machine`, and decodes boxes again, against what the bundle holds. Throws UserError GOLDEN_DIFFERS at the first difference. */
export const checkGolden = async (folder: string, manifest: Manifest, machine: GoldenMachine = thisMachine, signal?: AbortSignal): Promise<GoldenOutcome> => {
  const read: Read = (path) => {
    if (!isInside(path)) throw leavesBundle(path);
    return readPlainFile(join(folder, path), bundleLimits.bytes).catch((cause: unknown) => { throw differs(path, "the file", cause instanceof Error ? cause.message : String(cause)); });
  };
  const index = parseGoldenIndex((await read(goldenIndex)).toString());
  for (const { id, outputs } of index.pictures) {
    const unknown = outputs.find(({ key }) => !manifest.models.some(({ role }) => modelKey(role) === key));
    if (unknown) throw differs(id, `the output of ${unknown.key}`, "the manifest has no such model");
  }
  const pictures = await openPictures(index, manifest, await listFiles(folder, "golden"), read, signal);
  const tasks: GoldenTask[] = [];
  const wanted: (OpenPicture & { readonly output: IndexedOutput })[][] = [];
  for (const { role, file, sha256, session } of manifest.models.filter((model) => machine.roles.includes(model.role))) {
    const path = join(folder, file);
    const { contract } = manifest.preprocess;
    const model: DetectorModel = { ...(await loadDetector(path, { classes: manifest.classes })), contract };
    const own = pictures.flatMap((picture) => picture.entry.outputs.filter(({ key }) => key === modelKey(role)).map((output) => ({ ...picture, output })));
    wanted.push(own);
    tasks.push({ name: basename(file), path, sha256, session: { threads: 1, extra: session }, contract, model, pictures: own.map(({ image }) => image) });
  }
  const answers = await machine.run(tasks, signal);
  const where = machine === thisMachine ? "" : ` on ${machine.name}`;
  for (const [t, own] of wanted.entries()) for (const [i, picture] of own.entries()) await checkAnswer(picture, tasks[t]!.model, answers[t]![i]!, where, index, read);
  return {
    pictures: index.pictures.length, runs: wanted.reduce((sum, { length }) => sum + length, 0), machine: machine.name,
    skipped: manifest.models.flatMap(({ role }) => (machine.roles.includes(role) ? [] : [role])),
  };
};

type Read = (path: string) => Promise<Buffer>;

interface OpenPicture {
  readonly entry: IndexedPicture;
  readonly image: Image8;
  readonly tensorSha256: string;
}

const openPictures = async ({ pictures }: GoldenIndex, manifest: Manifest, paths: readonly string[], read: Read, signal: AbortSignal | undefined): Promise<OpenPicture[]> => {
  const open: OpenPicture[] = [];
  for (const entry of pictures) {
    signal?.throwIfAborted();
    const source = paths.find((path) => path === `golden/${entry.id}.png` || path === `golden/${entry.id}.jpg`);
    if (source === undefined) throw differs(entry.id, "the encoded picture", "it is not there");
    const image = await decodeImage(await read(source), { name: source });
    open.push({ entry, image, tensorSha256: await checkPixels(entry, image, manifest, read) });
  }
  return open;
};

/** sha256 of the input tensor. */
const checkPixels = async (picture: IndexedPicture, image: Image8, { preprocess: { contract } }: Manifest, read: Read): Promise<string> => {
  if (image.width !== picture.width || image.height !== picture.height) throw differs(picture.id, "the decoded size", `${image.width}x${image.height} instead of ${picture.width}x${picture.height}`);
  sameBytes(picture.id, "the decoded picture", image.data, await read(picture.file));
  const letterboxed = letterbox8(image, contract);
  sameBytes(picture.id, "the resized and padded picture", letterboxed.data, await read(picture.letterbox));
  const tensor = new Float32Array(letterboxed.data.length);
  toTensor(letterboxed.data, contract, tensor);
  if (fnv1a64(bytesOf(tensor)) !== picture.tensor) throw differs(picture.id, "the input tensor", "its hash is another");
  return sha256Of(bytesOf(tensor));
};

const checkAnswer = async ({ entry: { id }, image, tensorSha256, output }: OpenPicture & { readonly output: IndexedOutput }, { head, contract }: DetectorModel, answer: PictureAnswer, where: string, { thresholds }: GoldenIndex, read: Read): Promise<void> => {
  if (answer.tensorSha256 !== undefined && answer.tensorSha256 !== tensorSha256) throw differs(id, `the input tensor${where}`, "its hash is another");
  const files = [{ type: "float32", file: output.file, name: head.outputNames[0]! } as const, ...output.further];
  const stored: OutputTensor[] = [];
  for (const { type, file, name } of files) {
    const what = `the output${files.length > 1 ? ` "${name}"` : ""} of ${output.key}${where}`;
    const wanted = new storedTypes[type](Uint8Array.from(await read(file)).buffer);
    const found = answer.outputs.find((candidate) => candidate.name === name);
    if (found?.data.length !== wanted.length) throw differs(id, what, `${found?.data.length ?? 0} values instead of ${wanted.length}`);
    for (let i = 0; i < wanted.length; i++) {
      const [is, should] = [Number(found.data[i]), Number(wanted[i])];
      // Boxes are pixels, so the tolerance grows with the value.
      if (!(Math.abs(is - should) <= output.tolerance * Math.max(1, Math.abs(should)))) throw differs(id, `value ${i} of ${what}`, `${is} instead of ${should}, tolerance ${output.tolerance}`);
    }
    stored.push({ name, dims: found.dims, data: wanted });
  }
  // Boxes are made from the stored outputs: the same values must give the same boxes everywhere.
  sameBoxes(id, output, detect(head, stored, 0, fit(contract, image.width, image.height), thresholds));
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
