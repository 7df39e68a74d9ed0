import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addCpp } from "../../bundle/cpp.ts";
import { addGolden } from "../../bundle/golden/files.ts";
import type { BundledModel, BundleInput, Files } from "../../bundle/input.ts";
import { modelFile, namesOf } from "../../bundle/names.ts";
import { Graph } from "../../graph/graph.ts";
import { detect, fit, letterbox8, toTensor, type DetectOptions, type Head, type Image8, type OutputTensor, type Preprocess } from "../../vision/index.ts";

export interface TestBundle {
  readonly name: string;
  readonly head: Head;
  readonly contract: Preprocess;
  readonly options: DetectOptions;
  readonly classes: readonly string[];
  readonly pictures: readonly Image8[];
  /** The network's output, whatever the picture. */
  readonly output: OutputTensor;
}

/** An output that no head reads, as YOLOv5's exports have them. */
const further: OutputTensor = { name: "raw maps", dims: [1, 2], data: Float32Array.of(1, 2) };

/** The C++ part of a bundle and its golden vectors for a head and a contract of which there is no model: all but the network can run. */
export const writeCppBundle = async (folder: string, { name, head, contract, options, classes, pictures, output }: TestBundle): Promise<void> => {
  const graph = new Graph(name);
  graph.addInput("images", "float32", [1, 3, contract.size[1], contract.size[0]]);
  graph.outputs.push(graph.addInput(output.name, "float32", output.dims));
  const model: BundledModel = { role: "float", variant: name, path: "", model: { graph, head, classes, contract, notes: [] }, session: {} };
  const input: Pick<BundleInput, "models" | "thresholds"> = { models: [model], thresholds: { score: options.scoreThreshold, iou: options.iouThreshold, maxDetections: options.maxDetections } };
  const names = namesOf(name, "00000000");
  const files: Files = new Map([[modelFile(names, "float"), Buffer.from("no model")]]);
  await addCpp(files, input as BundleInput, names, "1.0.0");
  const vectors = pictures.map((pixels, index) => {
    const letterboxed = letterbox8(pixels, contract);
    const tensor = new Float32Array(letterboxed.data.length);
    toTensor(letterboxed.data, contract, tensor);
    const boxes = detect(head, [output], 0, fit(contract, pixels.width, pixels.height), options);
    const picture = { name: `${index}-${pixels.width}x${pixels.height}`, extension: "png", bytes: new Uint8Array(), purpose: "" } as const;
    return { picture, pixels, letterboxed, input: tensor, results: new Map([["float", { outputs: [output, further], boxes }]] as const) };
  });
  addGolden(files, { vectors, options });
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
};
