import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";

/** TensorRT releases whose implicit quantization reads a calibration table, by the number in the table's header (8.x: XYZZ as 8601; 10.x: XYYZZ as 100300). */
export const tensorrtHeaders: Readonly<Record<string, string>> = {
  "8.5.2": "8502", "8.6.1": "8601", "8.6.2": "8602", "10.3.0": "100300", "10.7.0": "100700", "10.8.0": "100800", "10.16.2": "101602",
};

export const calibrators = {
  MinMax: { algorithm: "MinMaxCalibration", file: "MinMax-calibration.table" },
  Entropy: { algorithm: "EntropyCalibration2", file: "EntropyV2-calibration.table" },
} as const;

/**
 * TensorRT's calibration cache: `TRT-<version>-<algorithm>`, then `<tensor>: <big-endian float32 bits of the scale>`, scale = bound / 127.
 * Tensors of the graph without a range are left out and stay float. The pixels' bound is 255.
 */
export const calibrationTable = (graph: Graph, ranges: ReadonlyMap<string, number>, header: string, algorithm: string): string => {
  const pixels = graph.inputs[0]!;
  const lines = graph.values.flatMap(({ name, tensor, producer }) => {
    const bound = name === pixels.name ? 255 : tensor && !producer ? undefined : (ranges.get(name) ?? sigmoidBound(producer, ranges));
    return bound === undefined ? [] : [`${name}: ${scaleBits(bound)}`];
  });
  return `TRT-${header}-${algorithm}\n${lines.join("\n")}\n`;
};

/** A sigmoid (of a SiLU) needs no measuring; without a scale TensorRT would leave its neighbours float. */
const sigmoidBound = (producer: Node | null, ranges: ReadonlyMap<string, number>): number | undefined => (producer?.opType === "Sigmoid" && ranges.has(producer.in(0).name) ? 1 : undefined);

const scaleBits = (bound: number): string => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, bound / 127);
  return view.getUint32(0).toString(16).padStart(8, "0");
};
