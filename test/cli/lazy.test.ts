import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Files and packages that a module loads at its start: static imports, followed through our own files. */
const loadedBy = async (entry: string): Promise<Set<string>> => {
  const seen = new Set([entry]);
  for (const file of seen) { // grows while it is walked
    if (!file.endsWith(".ts")) continue;
    const text = await readFile(join(root, file), "utf8");
    for (const [, given] of text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s+)?"([^"]+)"/gm)) seen.add(given!.startsWith(".") ? relative(root, resolve(root, dirname(file), given!)) : given!);
  }
  return seen;
};

/** What takes long to load, and is needed only by the work of some commands. */
const heavy = ["onnxruntime-node", "sharp", "onnx-proto", "zod", "pipeline/run.ts", "targets/kinds.ts"];

test("the command line starts without what only some commands need", async () => {
  const loaded = await loadedBy("cli/watched.ts");
  assert.ok(loaded.has("cli/commands/verify.ts") && loaded.has("commander"));
  assert.equal(heavy.filter((name) => loaded.has(name)), []);
});

test("verify without the models' runs loads neither the runtime nor a picture library", async () => {
  const loaded = await loadedBy("pipeline/bundle/verify.ts");
  assert.ok(loaded.has("bundle/checksums.ts") && loaded.has("zod"));
  assert.equal(heavy.filter((name) => name !== "zod" && loaded.has(name)), []);
});

test("what is said to be heavy is loaded somewhere", async () => {
  const loaded = new Set([...(await loadedBy("pipeline/run.ts")), ...(await loadedBy("targets/open.ts"))]);
  assert.equal(heavy.filter((name) => !loaded.has(name)), []);
});

test.run();
