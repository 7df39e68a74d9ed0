import { execa } from "execa";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { parseJson } from "../../input/json.ts";
import { readPlainFile, UnreadableFile } from "../../input/read.ts";
import { readYaml } from "../../input/yaml.ts";
import { loadModel } from "../../onnx/load.ts";
import { inFolder } from "../helpers/cli.ts";

const test = suite("input");

const refusal = async (path: string, maxBytes = 1000): Promise<UnreadableFile> => {
  const error: unknown = await readPlainFile(path, maxBytes).then(() => undefined, (reason: unknown) => reason);
  if (error instanceof UnreadableFile) return error;
  throw new Error(`${path}: ${String(error)}`);
};

test("a model that is a pipe, a device or a folder is MODEL_FILE at once", () => inFolder(async (folder) => {
  await execa("mkfifo", [join(folder, "pipe.onnx")]);
  for (const [path, word] of [[join(folder, "pipe.onnx"), "a pipe"], ["/dev/zero", "a device"], [folder, "a folder"]] as const) {
    const error: unknown = await loadModel(path).then(() => undefined, (reason: unknown) => reason);
    assert.ok(error instanceof UserError && error.code === "MODEL_FILE" && error.message.includes(word), String(error));
  }
}));

test("what is no plain file is refused in words, and holds nobody up", () => inFolder(async (folder) => {
  await execa("mkfifo", [join(folder, "pipe")]);
  symlinkSync(join(folder, "a"), join(folder, "b"));
  symlinkSync(join(folder, "b"), join(folder, "a"));
  symlinkSync(join(folder, "pipe"), join(folder, "link to pipe"));
  writeFileSync(join(folder, "large"), "x".repeat(1001));
  const server = createServer().listen(join(folder, "socket"));
  for (const [name, words] of [["pipe", "a pipe"], ["link to pipe", "a pipe"], [".", "a folder"], ["a", "loop"], ["none", "no such file"], ["large/x", "no folder"], ["large", "more than"], ["socket", "socket"], ["x".repeat(5000), "too long"]])
    assert.match((await refusal(join(folder, name!))).message, words!);
  for (const device of ["/dev/zero", "/dev/random", "/dev/null"]) assert.match((await refusal(device)).message, "a device");
  server.close();
}));

for (const [name, text] of [
  ["100,000 levels", "[".repeat(100_000) + "]".repeat(100_000)], ["101 levels", "[".repeat(101) + "]".repeat(101)], ["an own prototype", '{"a": {"__proto__": {"b": 1}}}'],
  ["one that is written in escapes", '{"\\u005f\\u005fproto__": 1}'], ["objects that never end", '{"a":'.repeat(50_000)], ["nothing", ""],
] as const)
  test(`JSON of ${name} is refused`, () => { assert.throws(() => parseJson(text), (error: unknown) => error instanceof SyntaxError); });

test("JSON of 100 levels, brackets in texts and a byte order mark are read", () => {
  const deep = "[".repeat(100) + "]".repeat(100);
  assert.equal(parseJson(deep), JSON.parse(deep));
  const text = JSON.stringify({ a: "[".repeat(1000), b: `\\"${"{".repeat(300)}`, c: "__proto__" });
  assert.equal(parseJson(`\uFEFF${text}`), JSON.parse(text));
});

const laughs = ["a: &a [x,x,x,x,x,x,x,x,x]", ..."bcdefghij".split("").map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[i]!}`).join(",")}]`)].join("\n");
const staircase = (step: string, levels: number): string => Array.from({ length: levels }, (_, i) => " ".repeat(i) + step).join("\n");

for (const [name, text, words] of [
  ["a billion laughs", laughs, "aliases"], ["an alias of itself", "a: &a [*a]", "levels"], ["an unknown alias", "a: *b", "aliases"], ["100,000 brackets", "[".repeat(100_000), "levels"],
  ["100,000 dashes", "- ".repeat(100_000), "levels"], ["a staircase of maps", staircase("a:", 1500), "levels"], ["a staircase of lists", staircase("-", 300), "levels"],
  ["an own prototype", "a:\n  __proto__: {b: 1}", "__proto__"], ["a key twice", "a: 1\nb: 2\na: 3", "unique"], ["two documents", "a: 1\n---\nb: 1", "multiple documents"],
] as const)
  test(`YAML of ${name} is a problem with its line`, () => {
    const { problems: [problem], value } = readYaml(text);
    assert.is(value, undefined);
    assert.match(problem!.message, words);
    assert.ok(problem!.line >= 1 && Number.isInteger(problem!.line));
  });

test("the line of a key that stands twice, and at most 20 problems of a broken file", () => {
  assert.is(readYaml("a: 1\nb: 2\na: 3").problems[0]!.line, 3);
  assert.is(readYaml('"'.repeat(20_000)).problems.length, 20);
});

test("ordinary YAML is read: anchors, brackets in texts, names of built-in things", () => {
  const text = `base: &base {a: 1}\nother: *base\nnames: [constructor, toString, hasOwnProperty]\n${Array.from({ length: 200 }, (_, i) => `k${i}: a[b{c`).join("\n")}\n`;
  const { value, problems } = readYaml(text);
  assert.equal(problems, []);
  assert.equal((value as { readonly other: unknown }).other, { a: 1 });
  assert.is(Object.keys(value as object).length, 203);
});

test("some aliases are read, hundreds are not", () => {
  const repeat = (count: number): string => `a: &a x\nb: [${Array(count).fill("*a").join(", ")}]`;
  assert.equal(readYaml(repeat(90)).problems, []);
  assert.is(readYaml(repeat(200)).problems.length, 1);
});

test.run();
