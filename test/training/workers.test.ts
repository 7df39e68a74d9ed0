import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { train } from "../../training/train.ts";
import { moduleBeside, workerSource } from "../../training/workers.ts";
import { baseOptions, mlpProblem, mlpSource } from "./nets.ts";

const moduleUrl = moduleBeside(import.meta.url, "./counted-batches");
const failure = async (promise: Promise<unknown>): Promise<Error> => {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason);
  assert.instance(error, Error);
  return error as Error;
};

for (const workers of [1, 2]) {
  test(`${workers} worker(s) give every batch in order`, async () => {
    const feed = await workerSource(moduleUrl, { count: 5 }, { workers, prefetch: 4 }).open(2);
    assert.is(feed.batchesPerEpoch, 5);
    const seen: number[] = [];
    for (let epoch = 0; epoch < 2; epoch++)
      for (let index = 0; index < 5; index++) {
        const { x, part, i } = await feed.batch(epoch, index);
        seen.push(x!.floats[0]!);
        assert.equal([part!.floats[0], i!.toNumbers()], [8, [index]]);
      }
    await feed.close();
    assert.equal(seen, [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]);
  });
}

test("a feed may start anywhere", async () => {
  const feed = await workerSource(moduleUrl, { count: 5 }, { workers: 2 }).open(9);
  assert.is((await feed.batch(7, 3))["x"]!.floats[0], 703);
  await feed.close();
});

test("the error of a batch module arrives with its code and next step, when its batch is asked for", async () => {
  const feed = await workerSource(moduleUrl, { count: 5, failAt: 2 }).open(1);
  const error = await failure((async () => { for (let index = 0; index < 5; index++) await feed.batch(0, index); })());
  assert.instance(error, UserError);
  assert.equal([(error as UserError).code, error.message, (error as UserError).nextStep], ["BROKEN_IMAGE", "Cannot read 7.jpg.", "remove it."]);
  await feed.close();
});

test("a dataset that does not open and a worker that dies are errors, not hangs", async () => {
  assert.match((await failure(workerSource(moduleUrl, { count: 5, openFails: true }).open(1))).message, "no such dataset");
  const feed = await workerSource(moduleUrl, { count: 5, dieAt: 1 }).open(1);
  assert.match((await failure(feed.batch(0, 1))).message, "exit code 3");
  assert.match((await failure(feed.batch(0, 2))).message, "exit code 3");
  await feed.close();
});

test("training from workers gives the bytes of training in process", async () => {
  const options = { ...baseOptions, epochs: 2 };
  const here = await train(mlpProblem(), mlpSource(), options);
  const there = await train(mlpProblem(), workerSource(moduleBeside(import.meta.url, "./mlp-batches"), null, { workers: 2 }), options);
  assert.equal(there.tensors, here.tensors);
});

test.run();
