// A bare loop of session.run on onnxruntime-node, with nothing of Edgestill: argv is model and threads; each line of standard input is a number of seconds, the
// answer the milliseconds of each run.
import { InferenceSession, Tensor } from "onnxruntime-node";
import process from "node:process";
import { createInterface } from "node:readline";

const [model, threads] = process.argv.slice(2);
const session = await InferenceSession.create(model, { executionProviders: ["cpu"], logSeverityLevel: 3, intraOpNumThreads: Number(threads) });
const feeds = {};
for (const { name, shape } of session.inputMetadata) {
  const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
  const size = dims.reduce((n, dim) => n * dim, 1);
  feeds[name] = new Tensor("float32", Float32Array.from({ length: size }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 24), dims);
}
for await (const line of createInterface({ input: process.stdin })) {
  const samples = [];
  for (const end = performance.now() + 1000 * Number(line); performance.now() < end;) {
    const started = performance.now();
    await session.run(feeds);
    samples.push(performance.now() - started);
  }
  process.stdout.write(`${JSON.stringify(samples)}\n`);
}
