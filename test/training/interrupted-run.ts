/* A training run to be killed: `interrupted-run.ts <checkpoint> <milliseconds per batch>` prints a line per step and, at the end, the SHA-256 of the result. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { inProcessSource } from "../../training/batches.ts";
import { train } from "../../training/train.ts";
import { baseOptions, mlpProblem, mlpSource } from "./nets.ts";

const [checkpointPath, delay] = process.argv.slice(2);
const feed = await mlpSource().open(1);
const source = inProcessSource(feed.batchesPerEpoch, async (epoch, index) => {
  await sleep(Number(delay));
  return feed.batch(epoch, index);
});
const options = { ...baseOptions, epochs: 4, accumulate: 3, clipNorm: 1, ema: { decay: 0.9, rampSteps: 3 }, schedule: { kind: "cosine", warmupEpochs: 0.5, finalRatio: 0 }, checkpointSeconds: 0 } as const;
const { tensors, history } = await train(mlpProblem(), source, options, {
  ...(checkpointPath && { checkpointPath }),
  onStep: ({ step }) => process.stdout.write(`step ${step}\n`),
});
const hash = createHash("sha256");
for (const tensor of tensors.values()) hash.update(tensor.bytes);
process.stdout.write(`result ${hash.digest("hex")} ${history.map((record) => record.loss).join()}\n`);
