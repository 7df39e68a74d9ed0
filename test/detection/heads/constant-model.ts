import { describeDetector, runDetector, type DetectorOptions } from "../../../detection/detector.ts";
import { Builder } from "../../../graph/builder.ts";
import { Graph } from "../../../graph/graph.ts";
import { Tensor, type DataType } from "../../../graph/tensor.ts";
import { detect, fit, predictionOptions, type Image8 } from "../../../vision/index.ts";

/** Network input of the constant models, and of their picture. */
export const side = 320;
/** Where the one object lies: x, y, width, height. Its row on the grid of strides 8, 16, 32 is `objectRow`, in the cell at 140, 156. */
export const objectBox = [64, 96, 96, 160] as const;
export const objectRow = 777;

/** A table [rows, columns] as exporters shape it, one row of which is the object. */
export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly dtype?: DataType;
}

export interface ModelSpec {
  readonly outputs: readonly Output[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Who signs the file. */
  readonly producer?: string;
  readonly inputDtype?: DataType;
  readonly inputShape?: readonly number[];
  /** Second inputs. */
  readonly otherInputs?: readonly {
    readonly name: string;
    readonly dtype: DataType;
    readonly shape: readonly number[];
  }[];
  /** An op of this kind stands in the graph, unused by the values. */
  readonly op?: "GridSample" | "Exp" | "Softmax";
}

/** A model without weights whose outputs are constants (they depend on the picture by nothing). */
export const constantModel = ({
  outputs,
  metadata = {},
  producer,
  inputDtype = "float32",
  inputShape = [1, 3, side, side],
  otherInputs = [],
  op,
}: ModelSpec): Graph => {
  const graph = new Graph("constant", 17);
  if (producer !== undefined) graph.facts.producerName = producer;
  const b = new Builder(graph, "c");
  const images = graph.addInput("images", inputDtype, [...inputShape]);
  let zero = b.mul(b.mean(b.cast(images, "float32"), undefined, false), 0);
  for (const { name, dtype, shape } of otherInputs)
    zero = b.add(zero, b.mul(b.mean(b.cast(graph.addInput(name, dtype, [...shape]), "float32"), undefined, false), 0));
  if (op === "Exp") zero = b.mul(b.exp(zero), 0);
  if (op === "Softmax")
    zero = b.mul(b.mean(b.op("Softmax", [b.reshape(zero, [1, 1])], { axis: 1 }), undefined, false), 0);
  if (op === "GridSample")
    zero = b.mul(b.mean(b.op("GridSample", [b.full([1, 1, 2, 2], 0), b.full([1, 1, 2, 2], 0)]), undefined, false), 0);
  for (const { name, shape, values, dtype = "float32" } of outputs) {
    const sum = b.add(b.constant(Tensor.float32(shape, values)), zero);
    const value = dtype === "float32" ? sum : b.cast(sum, dtype);
    value.name = name;
    graph.outputs.push(value);
  }
  for (const [key, text] of Object.entries(metadata)) graph.metadata.set(key, text);
  return graph;
};

export interface Seen {
  readonly box: readonly number[];
  readonly score: number;
  readonly className: string;
}

const gray: Image8 = { width: side, height: side, channels: 3, data: new Uint8Array(side * side * 3).fill(120) };

/** What the command line would show of a plain gray picture, and the line on how the head was read. */
export const seenBy = async (
  graph: Graph,
  options: DetectorOptions = {},
): Promise<{ readonly seen: readonly Seen[]; readonly notes: readonly string[] }> => {
  const model = await describeDetector(graph, "model", options);
  const running = await runDetector(model, { threads: 1 });
  try {
    const found = detect(model.head, await running.run([gray]), 0, fit(model.contract, side, side), predictionOptions);
    return {
      seen: found.map(({ box, score, classIndex }) => ({ box, score, className: model.classes[classIndex]! })),
      notes: model.notes,
    };
  } finally {
    await running.close();
  }
};
