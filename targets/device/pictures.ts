import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { Tensor } from "../../graph/tensor.ts";
import { openFileSession } from "../../runtime/file-session.ts";
import { letterbox8, toTensor } from "../../vision/preprocess.ts";
import { sha256Of } from "../../files/digest.ts";
import type { PicturesJob, PicturesResult } from "./job.ts";

/** The runner's other work: a model on pictures, one at a time; outputs go to a file, one after the other. */
export const runPictures = async ({ model, session: options, contract, pictures, sizes, outputs: file }: PicturesJob): Promise<PicturesResult> => {
  const session = await openFileSession(model, options);
  const pixels = new Uint8Array(readFileSync(pictures));
  const [columns, rows] = contract.size;
  const answers: PicturesResult["answers"][number][] = [];
  writeFileSync(file, "");
  let offset = 0;
  for (const [width, height] of sizes) {
    const data = pixels.subarray(offset, (offset += 3 * width * height));
    const values = new Float32Array(3 * columns * rows);
    toTensor(letterbox8({ width, height, channels: 3, data }, contract).data, contract, values, 0);
    const results = await session.run({ [session.inputs[0]!.name]: Tensor.of("float32", [1, 3, rows, columns], values) });
    const outputs = Object.entries(results).map(([name, { dtype, shape, data: { buffer, byteOffset, byteLength } }]) => {
      appendFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
      return { name, dtype, shape, bytes: byteLength };
    });
    answers.push({ tensorSha256: sha256Of(new Uint8Array(values.buffer)), outputs });
  }
  return { kind: "pictures", answers };
};
