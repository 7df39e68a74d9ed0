import { addText, type Files } from "../input.ts";
import { modelKey } from "../names.ts";
import type { ModelRole } from "../manifest-schema.ts";
import { bytesOf, fnv1a64 } from "./fnv.ts";
import type { Golden, GoldenVector } from "./vectors.ts";

export const goldenIndex = "golden/index.txt";

/**
 * Largest absolute difference of a raw output value. TensorRT picks kernels by time, so its int8 outputs are never bit-equal: its tolerance, in
 * pixels and probabilities, only catches a wrong contract.
 */
export const outputTolerance: Readonly<Record<ModelRole, number>> = { float: 1e-4, "int8-cpu": 0, "int8-tensorrt": 2 };
/** Pixels of a final box, made from the stored output. */
export const boxTolerance = 1e-3;

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
  for (const [role, { outputs, boxes }] of results) {
    const [output] = outputs;
    const file = `${at}.${modelKey(role)}.f32`;
    files.set(file, bytesOf(output!.data));
    lines.push(`output ${modelKey(role)} ${outputTolerance[role]} ${file}`, `boxes ${modelKey(role)} ${boxes.length} ${boxTolerance}`);
    for (const { box, score, classIndex } of boxes) lines.push(`box ${[...box, score].map(digits).join(" ")} ${classIndex}`);
  }
  return lines;
};
