import { test } from "uvu";
import * as assert from "uvu/assert";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

/** Who may import whom (ARCHITECTURE.md). graph/error.ts, escape/ and input/ are free to all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  escape: [],
  input: [],
  graph: [],
  files: [],
  onnx: ["graph", "files"],
  rewrite: ["graph"],
  autodiff: ["graph"],
  runtime: ["graph", "onnx"],
  training: ["graph", "files", "autodiff", "runtime"],
  vision: [],
  students: ["graph"],
  detection: ["graph", "files", "onnx", "rewrite", "autodiff", "runtime", "training", "vision", "students"],
  targets: ["graph", "files", "onnx", "runtime", "vision", "detection"],
  report: [],
  bundle: ["graph", "files", "onnx", "rewrite", "autodiff", "runtime", "training", "vision", "students", "detection", "targets", "report"],
  pipeline: ["graph", "files", "onnx", "rewrite", "autodiff", "runtime", "training", "vision", "students", "detection", "targets", "report", "bundle"],
};

/** Single files that another layer may read beside the table. */
const exceptions: readonly (readonly [from: string, to: string])[] = [
  ["report", "pipeline/result.ts"],
  ["targets", "pipeline/result.ts"],
  ["targets", "pipeline/environment.ts"],
  ["bundle", "pipeline/result.ts"],
  ["bundle", "pipeline/gates.ts"],
];

const onlyIn: Readonly<Record<string, string>> = { "onnxruntime-node": "runtime", "onnx-proto": "onnx", protobufjs: "onnx", sharp: "vision", commander: "cli", "string-width": "cli" };

/** Folders of stages: they never import each other. */
const stageFolders = ["distill", "prune", "quantize", "evaluate", "benchmark", "bundle"];

const root = join(import.meta.dirname, "..");

interface Import {
  readonly file: string;
  /** Path inside the repository, or a package name. */
  readonly to: string;
}

const importsOf = async (folder: string): Promise<Import[]> => {
  const entries = await readdir(join(root, folder), { recursive: true }).catch((): string[] => []);
  const found: Import[] = [];
  for (const entry of entries.filter((name) => name.endsWith(".ts"))) {
    const file = join(folder, entry);
    const text = await readFile(join(root, file), "utf8");
    for (const match of text.matchAll(/^\s*(?:import|export)\b[^"'`;]*?from\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|^import\s+["']([^"']+)["']/gm)) {
      const given = (match[1] ?? match[2] ?? match[3])!;
      found.push({ file, to: given.startsWith(".") ? relative(root, resolve(root, dirname(file), given)).replaceAll("\\", "/") : given });
    }
  }
  return found;
};

for (const [layer, allowed] of Object.entries(mayImport)) {
  test(`${layer}/ imports only ${allowed.join(", ") || "itself"}`, async () => {
    const stray = (await importsOf(layer)).filter(({ to }) => {
      const folder = to.split("/")[0]!;
      if (!(folder in mayImport) && folder !== "cli" && folder !== "benchmarks" && folder !== "test" && folder !== "examples") return false;
      return folder !== layer && !allowed.includes(folder) && to !== "graph/error.ts" && folder !== "escape" && folder !== "input" && !exceptions.some(([from, file]) => from === layer && to === file);
    });
    assert.equal(stray.map(({ file, to }) => `${file} -> ${to}`), []);
  });
}

test("packages that belong to one layer are imported nowhere else", async () => {
  const stray: string[] = [];
  for (const layer of [...Object.keys(mayImport), "cli"]) {
    for (const { file, to } of await importsOf(layer)) if (to in onlyIn && onlyIn[to] !== layer) stray.push(`${file} -> ${to}`);
  }
  assert.equal(stray, []);
});

test("stages never import each other", async () => {
  const stray: string[] = [];
  for (const stage of stageFolders) {
    for (const { file, to } of await importsOf(`pipeline/${stage}`)) {
      if (stageFolders.some((other) => other !== stage && to.startsWith(`pipeline/${other}/`))) stray.push(`${file} -> ${to}`);
    }
  }
  assert.equal(stray, []);
});

test.run();
