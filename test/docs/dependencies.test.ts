import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { notes } from "../../docs/dependency-notes.ts";
import { directNames, lockedCells, pagePath, readLock, transitive } from "../../docs/make-dependencies.ts";

const root = join(import.meta.dirname, "../..");
const lock = await readLock();
const page = await readFile(pagePath, "utf8");

/** The rows of one table of the page: the name, and the cells that the lock file decides. */
const rowsOf = (name: string): string[][] => {
  const [, text = ""] = new RegExp(`<!-- ${name} -->\\n([^]*?)\\n<!-- end -->`).exec(page) ?? [];
  return text.split("\n").slice(2).map((line) => line.split(" | ").slice(0, 4).map((cell) => cell.replace(/^\| |`| \|$/g, "")));
};

for (const [name, kind] of [["dependencies", "dependencies"], ["tools", "devDependencies"]] as const) test(`docs/dependencies.md lists the ${name} of package-lock.json`, () =>
  assert.equal(rowsOf(name), directNames(lock, kind).map((each) => [each, ...lockedCells(lock.packages[`node_modules/${each}`]!)])));

test("docs/dependencies.md lists what comes through them", () =>
  assert.equal(rowsOf("transitive"), transitive(lock).map(([name, locked]) => [name, ...lockedCells(locked)])));

const direct = [...directNames(lock, "dependencies"), ...directNames(lock, "devDependencies")];
test("every direct dependency has its reason, and nothing else has one", () => assert.equal(Object.keys(notes).sort(), direct.toSorted()));

/** Started by name, or loaded by a tool: no import shows them. */
const byName = new Set(["eslint", "tsx", "typescript", "@types/node"]);

test("every direct dependency is imported; those of the package by the package itself", async () => {
  const { stdout } = await execa("git", ["ls-files", "*.ts", "*.js", "*.mjs"], { cwd: root });
  const texts = await Promise.all(stdout.split("\n").map(async (file) => ({ file, text: await readFile(join(root, file), "utf8").catch(() => "") })));
  const isImported = (name: string, shipped: boolean): boolean => texts.some(({ file, text }) =>
    !(shipped && /^(test|benchmarks|examples|docs)\//.test(file)) && new RegExp(`(from |import\\(|resolve\\()["']${name}(/[^"']*)?["']`).test(text));
  const shipped = directNames(lock, "dependencies").filter((name) => !isImported(name, true));
  const tools = directNames(lock, "devDependencies").filter((name) => !byName.has(name) && !isImported(name, false));
  assert.equal([...shipped, ...tools], []);
});

test("versions are exact, and the lock file names no host", async () => {
  const { dependencies, devDependencies } = lock.packages[""]!;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  const text = await readFile(join(root, "package-lock.json"), "utf8");
  assert.equal([...text.matchAll(/"resolved": "[^"]*"/g)].map(([found]) => found), []);
});

test("two packages have install scripts, and this repository runs none", async () => {
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev).map(([path]) => path);
  assert.equal(scripted, ["node_modules/onnxruntime-node", "node_modules/protobufjs"]);
  assert.match(await readFile(join(root, ".npmrc"), "utf8"), /^ignore-scripts=true$/m);
});

test.run();
