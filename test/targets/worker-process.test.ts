import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import type { WorkerRequest } from "../../targets/protocol.ts";
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from "../../targets/worker-process.ts";
import { inFolder } from "../helpers/cli.ts";

const open: WorkerRequest = { kind: "open", path: "model.onnx", session: {}, batch: 1, picture: null };
const round: WorkerRequest = { kind: "round", runs: 1, seconds: 0 };
const opened = { kind: "opened", warmup: 3, busyCores: null };
const measured = { kind: "round", inferenceMs: [1.5], endToEndMs: [], memoryBytes: 4096 };
const say = (value: unknown): string => `process.stdout.write(${JSON.stringify(`${JSON.stringify(value)}\n`)});`;

/** Asks a real child process that does `program` at each request; when it is closed, the child must be gone. */
const ask = async (program: string, work: (worker: WorkerProcess) => Promise<unknown>, options: WorkerProcessOptions = {}): Promise<unknown> => {
  const found: unknown[] = [];
  await inFolder(async (folder) => {
    const entry = join(folder, "worker.mjs");
    await writeFile(entry, `import { createInterface } from "node:readline"; import { writeFileSync, writeSync } from "node:fs";
writeFileSync(${JSON.stringify(join(folder, "pid"))}, String(process.pid));
let asked = 0;
for await (const line of createInterface({ input: process.stdin })) { asked++; ${program} }`);
    const worker = startWorkerProcess("tiny", { entry, silenceSeconds: 20, ...options });
    found.push(await work(worker).catch((error: unknown) => error));
    await worker.close();
    const pid = Number(await readFile(join(folder, "pid"), "utf8"));
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });
  return found[0];
};

const refused = (error: unknown, code: string, words: RegExp): void => {
  if (!(error instanceof UserError)) throw error;
  assert.is(error.code, code);
  assert.match(error.message, words);
  assert.match(error.message, "tiny");
  assert.match(error.nextStep, "edgestill bench");
};

test("right replies are given on", async () => {
  const both = async (worker: WorkerProcess) => [await worker.ask(open, "opened"), await worker.ask(round, "round")];
  assert.equal(await ask(`if (asked === 1) { ${say(opened)} } else { ${say(measured)} }`, both), [opened, measured]);
  const failed = { kind: "failed", code: "MODEL_MISSING", message: "no such model", nextStep: "look for it." };
  const error = await ask(say(failed), (worker) => worker.ask(open, "opened"));
  assert.ok(error instanceof UserError && error.code === "MODEL_MISSING" && error.message === "tiny: no such model");
});

const rubbish: readonly (readonly [what: string, program: string, words: RegExp])[] = [
  ["no JSON", `process.stdout.write("Segmentation \\u001b[31mfault\\n");`, /"Segmentation .*is no JSON/],
  ["half a line, then a whole one", `process.stdout.write('{"kind": "open'); ${say(opened)}`, /is no JSON/],
  ["an empty line", `process.stdout.write("\\n");`, /is no JSON/],
  ["null", say(null), /the reply: must be a map/],
  ["the reply to another request", say(measured), /kind: must be opened/],
  ["no field of it", say({ kind: "opened" }), /"warmup" is missing/],
  ["text for a number", say({ ...opened, warmup: "3" }), /warmup: must be a number, not a string/],
  ["a negative number", say({ ...opened, busyCores: -1 }), /busyCores: too small/],
  ["a failure without words", say({ kind: "failed" }), /"code" is missing/],
  ["too deep", `process.stdout.write("[".repeat(100000) + "\\n");`, /is no JSON/],
];
for (const [what, program, words] of rubbish)
  test(`a reply that is ${what} is an error that names the model`, async () => refused(await ask(program, (worker) => worker.ask(open, "opened")), "BENCHMARK_ANSWER", words));

for (const [what, reply] of Object.entries({ "no times": { ...measured, inferenceMs: [] }, "a time that is null": { ...measured, inferenceMs: [1, null] }, "a negative time": { ...measured, endToEndMs: [-1] } }))
  test(`${what} of a round: refused`, async () => refused(await ask(say(reply), (worker) => worker.ask(round, "round")), "BENCHMARK_ANSWER", /Ms/));

test("a line without end is refused before it fills the memory", async () => {
  const endless = `for (;;) writeSync(1, "x".repeat(65536));`;
  refused(await ask(endless, (worker) => worker.ask(open, "opened"), { lineBytes: 2 ** 20 }), "BENCHMARK_ANSWER", /longer than 1048576 bytes/);
});

test("a worker that does not answer is ended, though it keeps running", async () => {
  const programs = ["await new Promise(() => setInterval(() => {}, 1000));", "for (;;);"];
  for (const found of await Promise.all(programs.map((program) => ask(program, (worker) => worker.ask(open, "opened"), { silenceSeconds: 2 }))))
    refused(found, "BENCHMARK_SILENT", /nothing for 2 s/);
});

test("silence counts from the last message: a long round that tells of its work is not ended", async () => {
  const working = JSON.stringify(`${JSON.stringify({ doing: "running", model: "model.onnx", hasLoops: false })}\n`);
  const slow = `for (let at = 0; at < 8; at++) { await new Promise((resolve) => setTimeout(resolve, 500)); writeSync(3, ${working}); } ${say(opened)}`;
  assert.equal(await ask(slow, (worker) => worker.ask(open, "opened"), { silenceSeconds: 2 }), opened);
});

test("rubbish in what a worker tells of its work changes nothing", async () => {
  const told = String.raw`writeSync(3, "{broken\n[]\n null\n" + "y".repeat(100000) + "\n"); await new Promise((resolve) => setTimeout(resolve, 200)); `;
  assert.equal(await ask(told + say(opened), (worker) => worker.ask(open, "opened")), opened);
});

test.run();
