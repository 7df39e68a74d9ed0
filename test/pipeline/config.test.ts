import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { parseConfig } from "../../pipeline/config.ts";
import { configJsonSchema } from "../../pipeline/config-schema.ts";
import { starterConfig } from "../../pipeline/starter-config.ts";
import { version } from "../../pipeline/version.ts";
import { inFolder } from "../helpers/cli.ts";
import packageFile from "../../package.json" with { type: "json" };

const messageOf = (text: string, path = "/nowhere/config.yaml"): string => {
  try {
    parseConfig(text, path);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error("the config was accepted");
};

const valid = "name: a\ndata: {generate: {module: make.ts, train: 4, val: 2}}\ninput: {size: [96, 64]}\n";

test("every problem is listed with its line", () => {
  const message = messageOf([
    "name: a b", "seed: -1", "data:", "  train: nope.json", "  val: gone.json", "  foo: 1", "student: {model: s.onnx, wdith: 3}", "teacher:", "  - model: t.onnx", "    wieght: 3",
    "distill:", "  epochs: many", "  features: all", "prune: {}", "targets: [local, {name: pi, kind: rpi}]", "gates: {mapDrp: 1, pi5.p50Ms: 3}", "zzz: 1",
  ].join("\n"));
  for (const [line, words] of [
    [1, "name"], [2, "seed"], [4, 'data.train: there is no file or folder "nope.json"'], [5, "data.val"], [6, 'unknown key "data.foo"'], [7, 'unknown key "student.wdith"'], [7, "student.model"],
    [9, "teacher.0.model"], [10, 'unknown key "teacher.0.wieght"'], [12, "distill.epochs: must be a number"], [13, "distill.features: must be one of"], [14, "prune needs one of"],
    [15, '"targets.1.host" is missing'], [16, 'unknown gate "mapDrp"'], [16, 'no target "pi5"'], [17, 'unknown key "zzz"'],
  ] as const) assert.match(message, new RegExp(`:${line}: [^\\n]*${words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`));
  assert.match(message, /16 problems/);
});

for (const [what, text, expected] of [
  ["broken YAML", "name: [a\ndata: {", /:\d+: /],
  ["an empty file", "", /"name" is missing/],
  ["a list", "- a\n", /must be a/],
  ["a size that is no multiple of 32", valid.replace("96", "100"), /:3: input\.size\.0: must be a multiple of 32/],
  ["both prune targets", `${valid}prune: {macs: 0.5, parameters: 0.5}\n`, /:4: prune needs one of macs and parameters/],
  ["no size at all", "name: a\ndata: {generate: {module: make.ts, train: 4, val: 2}}\n", /"input\.size" is missing/],
  ["a student of no teacher", `${valid}student: {from: teacher, macs: 0.5}\n`, /needs a teacher/],
  ["a gate in points where a fraction is meant", `${valid}gates: {mapDrop: 2}\n`, /:4: gates\.mapDrop: the limit is a fraction of 1, so 2 can never decide anything; for 2 points of mAP write 0\.02/],
  ["a requirement in points where a fraction is meant", `${valid}requirements: [{id: A, metric: ap.car, limit: 40}]\n`, /:4: requirements: ap\.car: .* write 0\.4/],
  ["an untrained student from a spec", `${valid}distill: {epochs: 0}\n`, /at least 1/],
] as const) test(`${what} is refused`, () => assert.match(messageOf(text), expected));

test("a valid config gets its defaults; paths stay as written", () => inFolder(async (folder) => {
  await writeFile(join(folder, "make.ts"), "");
  const { config, folder: base } = parseConfig(valid, join(folder, "config.yaml"));
  assert.is(base, folder);
  assert.is(config.data.generate?.module, "make.ts");
  assert.is(config.distill.epochs, 40);
  assert.equal(config.targets, ["local"]);
  assert.is(config.prune, undefined);
}));

test("the starter config has no problem but its missing files", () => {
  const lines = messageOf(starterConfig).split("\n").slice(1);
  assert.ok(lines.every((line) => line.includes("there is no file or folder")), lines.join("\n"));
});

test("the JSON Schema has every section with help", () => {
  const { properties } = configJsonSchema() as { properties: Record<string, { description?: string }> };
  for (const key of ["data", "teacher", "student", "distill", "prune", "quantize", "targets", "gates", "benchmark"]) assert.ok(properties[key]?.description, key);
});

test("the version is the package's", () => assert.is(version, packageFile.version));

test.run();
