import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { checkOutputs, parseReply } from "../../targets/device/answer.ts";
import { parseTimes } from "../../targets/jetson/exports.ts";
import { parseTegrastats } from "../../targets/jetson/tegrastats.ts";
import { parseProbe } from "../../targets/linux/probe.ts";
import { localTransport } from "../../targets/local-transport.ts";

const test = suite("what devices answer");

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return "none";
};

const sound = {
  kind: "result", warmup: 3, busyCores: 0, roundsMs: [[1, 2]], endToEndMs: [], memoryBytes: 1, sensors: [{ seconds: 1, temperatureC: 40, clockMHz: 1000, throttledBits: null }], soak: [],
  outputs: [{ name: "a", dtype: "float32", shape: [1, 2], bytes: 8 }], node: "v20", onnxruntime: "1", architecture: "arm64",
};

test("a sound answer is read, other lines are passed over", () => {
  assert.equal(parseReply(JSON.stringify(sound), "m on d"), sound);
  assert.is(parseReply("warning: something", "m on d"), undefined);
});

for (const [name, line] of Object.entries({
  "no JSON": "{oh", "100,000 levels": `{"a":`.repeat(100_000), "an unknown kind": '{"kind":"constructor"}', "an own prototype": '{"kind":"moment","moment":"x","__proto__":{"polluted":1}}',
  "a negative time": JSON.stringify({ ...sound, roundsMs: [[-1]] }), "an endless time": JSON.stringify(sound).replace("[1,2]", "[1e999]"), "a time that is a word": JSON.stringify({ ...sound, roundsMs: [["1"]] }),
  "no run in a round": JSON.stringify({ ...sound, roundsMs: [[]] }), "no round": JSON.stringify({ ...sound, roundsMs: [] }), "a run of no time": JSON.stringify({ ...sound, roundsMs: [[0]] }),
  "no rounds": JSON.stringify({ ...sound, roundsMs: null }), "a size below nothing": JSON.stringify({ ...sound, memoryBytes: -1 }), "an output of -1": JSON.stringify({ ...sound, outputs: [{ name: "a", dtype: "float32", shape: [-1], bytes: 4 }] }),
  "an error code of its own": '{"kind":"failed","code":"\\u001b[31m","message":"","nextStep":""}',
}))
  test(`an answer with ${name} is DEVICE_ANSWER`, () => {
    assert.is(codeOf(() => parseReply(line, "m on d")), "DEVICE_ANSWER");
    assert.is(({} as { readonly polluted?: unknown }).polluted, undefined);
  });

test("outputs whose sizes contradict each other are DEVICE_ANSWER", () => {
  assert.is(codeOf(() => { checkOutputs(sound.outputs, 8, "m"); }), "none");
  for (const [change, size] of [[{ bytes: 7 }, 7], [{ dtype: "constructor" }, 8], [{ shape: [2 ** 30] }, 8], [{}, 9]] as const) assert.is(codeOf(() => { checkOutputs([{ ...sound.outputs[0]!, ...change }], size, "m"); }), "DEVICE_ANSWER");
});

test("impossible facts of a board are unknown, not believed", () => {
  const facts = (text: string) => parseProbe(`kernelArchitecture=aarch64\n${text}`);
  assert.equal([facts("cores=4").cores, facts("cores=-1").cores, facts("cores=1e9").cores, facts("cores=Infinity").cores, facts("memoryKiB=-5").memoryBytes, facts("cores=NaN").cores], [4, null, null, null, null, null]);
});

test("figures of tegrastats that no board has are DEVICE_OUTPUT", () => {
  const line = "RAM 100/200MB CPU [5%@100] EMC_FREQ 1%@100 GR3D_FREQ 3%@[300] tj@40C VDD_IN 500mW/500mW";
  assert.is(codeOf(() => parseTegrastats(line)), "none");
  for (const [from, to] of [["100/", "9".repeat(400) + "/"], ["GR3D_FREQ 3", "GR3D_FREQ 101"], ["[300]", "[9999999]"], ["tj@40", "tj@4000"], ["500mW/", "999999999mW/"], ["5%@", "500%@"], ["@100 GR", "@9999999 GR"]] as const)
    assert.is(codeOf(() => parseTegrastats(line.replace(from, to))), "DEVICE_OUTPUT", to.slice(0, 20));
});

test("trtexec times below zero are DEVICE_OUTPUT", () => {
  const run = { startComputeMs: 0, h2dMs: 0, computeMs: 1, d2hMs: 0, latencyMs: -1 };
  assert.is(codeOf(() => parseTimes(JSON.stringify([run]), 0)), "DEVICE_OUTPUT");
});

test("a command that answers without end is stopped, and named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "edgestill-endless-"));
  const transport = localTransport({ XDG_CACHE_HOME: folder });
  try {
    for (const command of [["cat", "/dev/zero"], ["yes"]]) {
      const error: unknown = await transport.run(command, { timeoutMs: 60_000 }).catch((reason: unknown) => reason);
      assert.ok(error instanceof UserError && error.code === "DEVICE_ANSWER" && error.message.includes(command[0]!), String(error));
    }
  } finally {
    await transport.close();
    rmSync(folder, { recursive: true });
  }
});

test.run();
