import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { adamw } from "../../training/options.ts";
import { train } from "../../training/train.ts";
import { baseOptions, mlpProblem, mlpSource } from "./nets.ts";

const folder = await mkdtemp(join(tmpdir(), "edgestill-resume-"));
test.after(() => rm(folder, { recursive: true }));

/** Runs the script, kills it with SIGKILL as soon as it prints `killAt`. */
const runScript = (checkpointPath: string, delay: number, killAt?: string): Promise<{ readonly output: string; readonly signal: NodeJS.Signals | null }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("./interrupted-run.ts", import.meta.url)), checkpointPath, String(delay)], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (killAt && output.includes(killAt)) child.kill("SIGKILL");
    });
    child.on("error", reject).on("close", (_, signal) => resolve({ output, signal }));
  });

const resultLine = (output: string): string | undefined => output.split("\n").find((line) => line.startsWith("result "));

test("a run killed with SIGKILL twice and resumed ends with the same bytes as one that was not", async () => {
  const whole = await runScript(join(folder, "whole"), 0);
  const path = join(folder, "killed");
  const first = await runScript(path, 30, "step 3\n");
  const second = await runScript(path, 30, "step 10\n");
  assert.equal([first.signal, second.signal], ["SIGKILL", "SIGKILL"]);
  assert.not.match(second.output, "step 1\n");
  const last = await runScript(path, 0);
  assert.not.match(last.output, "step 3\n");
  assert.ok(resultLine(whole.output));
  assert.is(resultLine(last.output), resultLine(whole.output));
});

const codeOf = (code: string) => (error: unknown): boolean => error instanceof UserError && error.code === code;
const rejects = async (promise: Promise<unknown>, expected: (error: unknown) => boolean): Promise<void> => {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason);
  assert.ok(expected(error), String(error));
};

test("an aborted run saves, throws the signal's reason and goes on to the same bytes", async () => {
  const checkpointPath = join(folder, "aborted");
  const options = { ...baseOptions, epochs: 2 };
  const whole = await train(mlpProblem(), mlpSource(), options);
  const controller = new AbortController();
  const stopped = train(mlpProblem(), mlpSource(), options, { checkpointPath, signal: controller.signal, onStep: ({ step }) => { if (step === 5) controller.abort(new Error("stop")); } });
  await rejects(stopped, (error) => error instanceof Error && error.message === "stop");
  const steps: number[] = [];
  const resumed = await train(mlpProblem(), mlpSource(), options, { checkpointPath, onStep: ({ step }) => steps.push(step) });
  assert.is(steps[0], 6);
  assert.equal(resumed.tensors, whole.tensors);
  assert.is(resumed.history[0]!.loss, whole.history[0]!.loss);
  const again = await train(mlpProblem(), mlpSource(), options, { checkpointPath, onStep: () => assert.unreachable() });
  assert.equal(again.tensors, whole.tensors);
});

test("a checkpoint of another training is refused, with --fresh ignored", async () => {
  const checkpointPath = join(folder, "other");
  await train(mlpProblem(), mlpSource(), baseOptions, { checkpointPath });
  const other = { ...baseOptions, optimizer: adamw({ learningRate: 0.5 }) };
  await rejects(train(mlpProblem(), mlpSource(), other, { checkpointPath }), codeOf("CHECKPOINT_OTHER"));
  await rejects(train(mlpProblem(), { ...mlpSource(), identity: "other data" }, baseOptions, { checkpointPath }), codeOf("CHECKPOINT_OTHER"));
  await train(mlpProblem(), mlpSource(), { ...baseOptions, threads: 2 }, { checkpointPath });
  await train(mlpProblem(), mlpSource(), other, { checkpointPath, fresh: true });
});

test("damaged and unwritable checkpoints are clear errors", async () => {
  const checkpointPath = join(folder, "damaged");
  await train(mlpProblem(), mlpSource(), baseOptions, { checkpointPath });
  const bytes = await readFile(checkpointPath);
  const flipped = Buffer.from(bytes);
  flipped[flipped.length - 100]! ^= 1;
  for (const damaged of [flipped, bytes.subarray(0, 200), Buffer.from("hello"), Buffer.alloc(0)]) {
    await writeFile(checkpointPath, damaged);
    await rejects(train(mlpProblem(), mlpSource(), baseOptions, { checkpointPath }), codeOf("CHECKPOINT_CORRUPT"));
  }
  await rejects(train(mlpProblem(), mlpSource(), baseOptions, { checkpointPath: join(checkpointPath, "below-a-file"), onStep: () => assert.unreachable() }), codeOf("CHECKPOINT_WRITE"));
});

test.run();
