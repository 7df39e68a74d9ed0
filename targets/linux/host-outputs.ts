import { readFile } from "node:fs/promises";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { openSession } from "../../runtime/session.ts";
import { badAnswer, checkOutputs } from "../device/answer.ts";
import type { DeviceResult } from "../device/job.ts";
import { patternFeeds } from "../feeds.ts";
import type { BenchmarkModel } from "../target.ts";
import type { Transport } from "../transport.ts";

/** Does the device compute what this machine computes? The same input through the same settings; undefined where this machine cannot run the model. */
export const compareWithHost = async (model: BenchmarkModel, transport: Transport, remote: string, { outputs }: DeviceResult, local: string, batch: number, size?: readonly [number, number]): Promise<BenchmarkRecord["againstHost"]> => {
  await transport.download(remote, local);
  await transport.run(["rm", "-f", "--", remote]);
  const bytes = await readFile(local);
  checkOutputs(outputs, bytes.length, model.name);
  const session = await openSession(model.path, model.session);
  try {
    const expected = await session.run(patternFeeds(session, batch, size));
    let [offset, maxAbsError, bitEqual] = [0, 0, true];
    let integersBitEqual: boolean | null = null;
    for (const { name, dtype, bytes: length } of outputs) {
      const own = expected[name];
      if (!own) throw badAnswer(model.name, `the model has no output "${name.slice(0, 80)}"`);
      const theirs = bytes.subarray(offset, offset + length);
      offset += length;
      const ownBytes = new Uint8Array(own.data.buffer, own.data.byteOffset, own.data.byteLength);
      const equal = Buffer.compare(theirs, ownBytes) === 0;
      bitEqual &&= equal;
      if (dtype === "float32") maxAbsError = Math.max(maxAbsError, largestDifference(new Float32Array(new Uint8Array(theirs).buffer), own.data as Float32Array));
      else integersBitEqual = (integersBitEqual ?? true) && equal;
    }
    return { maxAbsError: Math.min(maxAbsError, Number.MAX_VALUE), bitEqual, ...(integersBitEqual !== null && { integersBitEqual }) };
  } finally {
    await session.close();
  }
};

const largestDifference = (a: Float32Array, b: Float32Array): number => {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
};
