import { addText, type Files } from "../input.ts";
import { modelKey } from "../names.ts";
import type { OutputTensor } from "../../vision/decode.ts";
import type { ModelRole } from "../manifest-schema.ts";
import { bytesOf, fnv1a64 } from "./fnv.ts";
import type { Golden, GoldenVector } from "./vectors.ts";

export const goldenIndex = "golden/index.txt";

/**
 * Largest difference of a raw output value, over the value's magnitude where that is above 1 (boxes are in pixels). TensorRT picks kernels by time, so its int8 outputs are never bit-equal: its tolerance only
 * catches a wrong contract.
 */
export const outputTolerance: Readonly<Record<ModelRole, number>> = { float: 1e-4, "int8-cpu": 0, "int8-tensorrt": 2 };
/** Pixels of a final box, made from the stored output. */
export const boxTolerance = 1e-3;

/** Element types of stored outputs; each is also the ending of its files. */
export const storedTypes = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array } as const;
export type StoredType = keyof typeof storedTypes;

const typeOf = (data: OutputTensor["data"]): StoredType => {
  const type = Object.entries(storedTypes).find(([, array]) => data instanceof array)?.[0];
  if (type === undefined) throw new Error(`bug: no stored type for ${data.constructor.name}`);
  return type as StoredType;
};

const digits = (value: number): string => String(Number(value.toPrecision(9)));

/** Writes golden/: pictures as files and as pixels, letterboxed inputs, raw outputs, and the index (bundle/cpp/README.md has its form). */
export const addGolden = (files: Files, { vectors, options }: Golden): void => {
  const { scoreThreshold, iouThreshold, maxDetections, multiLabel } = options;
  const lines = ["edgestill-golden 1", `thresholds ${scoreThreshold} ${iouThreshold} ${maxDetections} ${Number(multiLabel)}`];
  for (const vector of vectors) lines.push(...addVector(files, vector));
  addText(files, goldenIndex, `${lines.join("\n")}\n`);
};

const addVector = (files: Files, { picture, pixels, letterboxed, input, results }: GoldenVector): string[] => {
  const at = `golden/${picture.name}`;
  files.set(`${at}.${picture.extension}`, picture.bytes);
  files.set(`${at}.rgb`, pixels.data);
  files.set(`${at}.input.rgb`, letterboxed.data);
  const lines = [`picture ${picture.name} ${pixels.width} ${pixels.height} ${at}.rgb`, `letterbox ${at}.input.rgb`, `tensor ${fnv1a64(bytesOf(input))}`];
  for (const [role, { outputs: [output, ...further], boxes }] of results) {
    const file = `${at}.${modelKey(role)}`;
    files.set(`${file}.f32`, bytesOf(output!.data));
    lines.push(`output ${modelKey(role)} ${outputTolerance[role]} ${file}.f32`);
    for (const [i, { name, data }] of further.entries()) {
      const type = typeOf(data);
      files.set(`${file}.${i + 1}.${type}`, bytesOf(data));
      lines.push(`further ${type} ${file}.${i + 1}.${type} ${name}`);
    }
    lines.push(`boxes ${modelKey(role)} ${boxes.length} ${boxTolerance}`);
    for (const { box, score, classIndex } of boxes) lines.push(`box ${[...box, score].map(digits).join(" ")} ${classIndex}`);
  }
  return lines;
};
