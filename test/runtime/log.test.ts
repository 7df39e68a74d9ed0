import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = pathToFileURL(join(import.meta.dirname, "../..")).href;

/** A model that the runtime loads and then fails to run, in a process of its own: what native code prints does not pass through ours. */
const failing = (isShown: boolean): string => `
  const [{ runOnce }, { parseGraph }, { Tensor }, { runtimeLog }] = await Promise.all(["runtime/session.ts", "graph/text.ts", "graph/tensor.ts", "runtime/log.ts"].map((path) => import("${root}/" + path)));
  runtimeLog.isShown = ${isShown};
  await runOnce(parseGraph("(x: f32[N], s: i64[1]) { y = Reshape(x, s) } -> y"), { x: Tensor.float32([3], [1, 2, 3]), s: Tensor.int64([1], [2]) }).catch((error) => console.log(error.code, error.message));`;

for (const [what, isShown] of [["no line of the runtime's own reaches stderr; its reason is in our error", false], ["the runtime's log is there for those who ask", true]] as const) test(what, async () => {
  const { stdout, stderr } = await execa(process.execPath, ["--import", "tsx", "--input-type=module", "-e", failing(isShown)]);
  assert.match(stdout, /^RUN_FAILED .*Reshape/s);
  assert.is(stderr.includes("onnxruntime"), isShown, stderr);
});

test.run();
