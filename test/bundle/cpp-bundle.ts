import { cp, mkdir, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadDetector, runDetector, type DetectorModel } from "../../detection/detector.ts";
import { detect, fit, letterbox8, toTensor, type DetectOptions, type Head, type Image8, type OutputTensor, type Preprocess } from "../../vision/index.ts";
import { cppFiles, goldenIndex, type CppGoldenPicture, type CppModelFile } from "./cpp-files.ts";

/** A model file of the bundle under test and how ONNX Runtime is to run it. */
export interface TestModel extends Omit<CppModelFile, "sha256" | "path"> {
  readonly source: string;
  readonly tolerance: number;
}

export interface TestBundle {
  readonly name: string;
  readonly head: Head;
  readonly anchors: number;
  readonly inputName?: string;
  readonly contract: Preprocess;
  readonly options: DetectOptions;
  readonly classes: readonly string[];
  readonly pictures: readonly Image8[];
  /** Raw outputs of each model for one picture, by key. */
  readonly outputs: (picture: Image8, key: string) => Promise<readonly OutputTensor[]>;
  readonly models: readonly TestModel[];
}

/** The C++ part of a bundle and its golden vectors. */
export const writeCppBundle = async (folder: string, bundle: TestBundle): Promise<void> => {
  const { contract, head, options } = bundle;
  await cp(join(import.meta.dirname, "../../bundle/cpp"), join(folder, "cpp"), { recursive: true });
  const write = async (path: string, content: string | Uint8Array): Promise<string> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    return path;
  };
  const files = await Promise.all(bundle.models.map(async ({ key, source, session }): Promise<CppModelFile> => {
    const bytes = await readFile(source);
    return { key, session, path: await write(`models/${bundle.name}-00000000.${key}.onnx`, bytes), sha256: createHash("sha256").update(bytes).digest("hex") };
  }));
  const golden: CppGoldenPicture[] = [];
  for (const [index, picture] of bundle.pictures.entries()) {
    const id = `${index}-${picture.width}x${picture.height}`;
    const letterboxed = letterbox8(picture, contract).data;
    const tensor = new Float32Array(letterboxed.length);
    toTensor(letterboxed, contract, tensor);
    const outputs = [];
    for (const { key, tolerance } of bundle.models.length > 0 ? bundle.models : [{ key: "made", tolerance: 0 }]) {
      const tensors = await bundle.outputs(picture, key);
      const data = tensors.find(({ name }) => name === head.outputNames[0])!.data;
      const file = await write(`golden/${id}.${key}.bin`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      outputs.push({ key, file, tolerance, boxes: detect(head, tensors, 0, fit(contract, picture.width, picture.height), options) });
    }
    golden.push({
      id, width: picture.width, height: picture.height, file: await write(`golden/${id}.rgb`, picture.data), letterbox: await write(`golden/${id}.net.rgb`, letterboxed), tensor, outputs,
    });
  }
  await write("golden/index.txt", goldenIndex(golden, options));
  const model = { name: bundle.name, version: "1.0.0", hash: "00000000", inputName: bundle.inputName ?? "images", head, anchors: bundle.anchors, contract, thresholds: options, classes: bundle.classes, files };
  for (const [path, text] of cppFiles(model)) await write(path, text);
};

/** A bundle of real model files; each runs as the C++ library will run it. */
export const writeModelBundle = async (folder: string, name: string, models: readonly TestModel[], pictures: readonly Image8[], options: DetectOptions): Promise<DetectorModel> => {
  const loaded = await Promise.all(models.map(async (model) => ({ ...model, detector: await loadDetector(model.source) })));
  const running = await Promise.all(loaded.map(async ({ key, source, detector, session }) => [key, await runDetector(detector, { threads: 1, extra: session }, source)] as const));
  const byKey = new Map(running);
  const first = loaded[0]!.detector;
  const [probe] = await byKey.get(models[0]!.key)!.run([pictures[0]!]);
  await writeCppBundle(folder, {
    name, head: first.head, contract: first.contract, classes: first.classes, options, pictures, models, inputName: first.graph.inputs[0]!.name,
    anchors: probe!.dims[first.head.kind === "dense" && first.head.channelsFirst ? 2 : 1]!,
    outputs: (picture, key) => byKey.get(key)!.run([picture]),
  });
  for (const [, detector] of running) await detector.close();
  return first;
};
