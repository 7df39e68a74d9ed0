/* A batch module for data workers: x holds epoch·100 + index. */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../graph/error.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { OpenedBatches } from "../../training/workers.ts";

interface Spec { readonly count: number; readonly failAt?: number; readonly dieAt?: number; readonly openFails?: boolean; readonly milliseconds?: number }

export const openBatches = (spec: Spec): OpenedBatches => {
  if (spec.openFails) throw new Error("no such dataset");
  const shared = new Float32Array([7, 8, 9]);
  return {
    batchesPerEpoch: spec.count,
    batch: async (epoch, index) => {
      if (index === spec.failAt) throw new UserError("BROKEN_IMAGE", "Cannot read 7.jpg.", "remove it.");
      if (index === spec.dieAt) process.exit(3);
      await sleep(spec.milliseconds ?? (index % 3) * 4);
      return { x: Tensor.float32([1], [epoch * 100 + index]), part: Tensor.float32([1], shared.subarray(1, 2)), i: Tensor.int64([1], [index]) };
    },
  };
};
