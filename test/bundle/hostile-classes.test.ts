import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "parse5";
import { adapterObstacle } from "../../bundle/autoware/adapter.ts";
import { deepstreamObstacle } from "../../bundle/deepstream/package.ts";
import type { BundleInput } from "../../bundle/input.ts";
import { identifierOf, namesOf } from "../../bundle/names.ts";
import { addTensorrtRecipe } from "../../bundle/tensorrt.ts";
import { writeBundle } from "../../bundle/write.ts";
import { verifyBundle } from "../../bundle/verify.ts";
import { describeDetector, loadDetector, type DetectorModel } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import { serializeModel } from "../../onnx/save.ts";
import type { RunResult, Variant } from "../../pipeline/result.ts";
import { renderReport } from "../../report/html.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { sha256Of } from "../../files/digest.ts";
import { inFolder } from "../helpers/cli.ts";
import { hostileNames } from "../helpers/hostile-names.ts";
import { isHere } from "../escape/readers.ts";

const names = hostileNames(600, 2);
const graph = yoloStudent({ classes: names, size: [96, 64], width: 0.125, depth: 0.33, seed: 7 });

/** What a bundle and a report are made from, with these classes everywhere. */
const inputOf = async (folder: string): Promise<BundleInput> => {
  const bytes = serializeModel(graph);
  const path = join(folder, "student.onnx");
  await writeFile(path, bytes);
  const accuracy = { map: 0.5, map50: 0.6, perClass: Object.fromEntries(names.map((name) => [name, 0.5])) };
  const variant = {
    name: "student",
    stage: "trained",
    parent: null,
    model: path,
    sha256: sha256Of(bytes),
    parameters: 1,
    macs: 1,
    sizeBytes: bytes.length,
    accuracy,
    latency: {},
  } as unknown as Variant;
  return {
    result: {
      name: "hostile",
      config: {},
      seed: 1,
      environment: {},
      variants: [variant],
      stages: [],
      gates: [],
    } satisfies RunResult,
    models: [{ role: "float", variant: "student", path, model: await loadDetector(path), session: {} }],
    formats: ["cpp", "autoware", "deepstream"],
    thresholds: { score: 0.25, iou: 0.45, maxDetections: 300 },
    requirements: names.slice(0, 50).map((id) => ({ id, metric: "map", limit: 0, slice: id })),
    data: null,
    ranges: null,
    autowareLabels: {},
    timingCaches: new Map(),
    limits: names,
    notes: names.slice(0, 50),
  };
};

const elements = (html: string): Set<string> => {
  const found = new Set<string>();
  const visit = (node: { readonly childNodes?: readonly { readonly nodeName: string }[] }): void => {
    for (const child of node.childNodes ?? []) {
      found.add(child.nodeName);
      visit(child as never);
    }
  };
  visit(parse(html));
  return found;
};

type Node = { readonly nodeName: string; readonly value?: string; readonly childNodes?: readonly Node[] };
const textOf = (node: Node): string =>
  node.nodeName === "#text" ? (node.value ?? "") : (node.childNodes ?? []).map(textOf).join("");
const headCells = (node: unknown): string[] =>
  ((node as Node).childNodes ?? []).flatMap((child) => (child.nodeName === "th" ? [textOf(child)] : headCells(child)));

test("a bundle with 600 hostile classes: it verifies, its C++ compiles and says the same names, its card is text", () =>
  inFolder(async (folder) => {
    const written = await writeBundle(await inputOf(folder), join(folder, "out"), {
      tool: { name: "edgestill", version: "0.1.0", onnxruntime: "1.30.0" },
    });
    const read = (path: string): Promise<string> => readFile(join(written.folder, path), "utf8");
    assert.equal(written.manifest.classes, names);
    assert.equal((await read("labels.txt")).split("\n").slice(0, -1), names);
    assert.is((await verifyBundle(written.folder)).name, written.manifest.name);
    assert.equal(written.manifest.formats, ["cpp"], "neither nvinfer nor Autoware's node can read all of these names");
    assert.ok(
      written.manifest.notes.some((note) => note.includes("nvinfer")) &&
        written.manifest.notes.some((note) => note.includes("autoware_tensorrt_yolox")),
    );
    for (const file of ["MODEL_CARD.md", "README.md"]) {
      const html = micromark(await read(file), {
        extensions: [gfm()],
        htmlExtensions: [gfmHtml()],
        allowDangerousHtml: true,
      });
      for (const tag of elements(html))
        assert.ok(
          [
            "#text",
            "#documentType",
            "html",
            "head",
            "body",
            "h1",
            "h2",
            "p",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "code",
            "strong",
            "ul",
            "li",
          ].includes(tag),
          `${file} has <${tag}>`,
        );
    }
    if (!isHere("g++")) return console.warn("skipped, g++ is not here: the header of hostile classes compiled");
    const [source, program] = [join(folder, "names.cpp"), join(folder, "names")];
    await writeFile(
      source,
      `#include <hostile/model.hpp>\n#include <cstdio>\nint main() { for (auto name : hostile::model.class_names) { std::fwrite(name.data(), 1, name.size(), stdout); std::fputc(0, stdout); } }\n`,
    );
    await execa("g++", [
      "-std=c++17",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-I",
      join(written.folder, "cpp/include"),
      source,
      "-o",
      program,
    ]);
    assert.equal((await execa(program)).stdout.split("\0").slice(0, -1), names);
  }));

test("a report with 600 hostile classes has no script and no element of theirs", () =>
  inFolder(async (folder) => {
    const { result } = await inputOf(folder);
    const html = renderReport(
      { ...result, name: names[20]!, variants: result.variants.map((variant) => ({ ...variant, name: names[40]! })) },
      new Map(),
    );
    assert.equal(
      [...elements(html)].filter((tag) => ["img", "iframe", "a"].includes(tag)),
      [],
    );
    const heads = new Set(headCells(parse(html)));
    assert.equal(
      names.filter((name) => !heads.has(name)),
      [],
    );
    assert.is([...html.matchAll(/<script/g)].length, 1);
    const shown = JSON.parse(
      /<script type="application\/json" id="run">([^<]*)<\/script>/.exec(html)![1]!,
    ) as RunResult;
    assert.equal(Object.keys(shown.variants[0]!.accuracy!.perClass).sort(), [...names].sort());
  }));

const detector = (classes: readonly string[]): DetectorModel =>
  ({
    classes,
    head: { kind: "dense", family: "yolov8", strides: [8, 16, 32] },
    contract: { resize: "letterbox", pad: 114, std: [1, 1, 1] },
  }) as unknown as DetectorModel;
for (const [name, nvinfer, autoware] of [
  ["a;b", true, false],
  ["a,b", false, true],
  ["a#b", false, true],
  ['a"b', false, true],
  [" a", true, true],
  ["a ", true, true],
  ["traffic light", false, false],
  ["$(id)", false, false],
] as const)
  test(`a class "${name}" ${nvinfer || autoware ? "is not written where its reader would cut it" : "is written"}`, () => {
    assert.is(deepstreamObstacle(detector(["car", name])) !== undefined, nvinfer);
    assert.is(adapterObstacle(detector(["car", name])) !== undefined, autoware);
  });

test("a run's name becomes a namespace that compilers take, whatever word it is", async () => {
  const words = [
    "class",
    "int",
    "linux",
    "unix",
    "std",
    "main",
    "edgestill",
    "new",
    "and",
    "xor_eq",
    "co_await",
    "Road Nano",
    "9x",
    "-",
    "x.y",
    "__",
    "road-nano",
    "concept",
    "errno",
    "stdin",
    "inline",
    "time",
    "index",
    "log",
    "signal",
    "remove",
    "select",
    "y1",
    "read",
  ];
  const identifiers = words.map(identifierOf);
  for (const identifier of identifiers) assert.match(identifier, /^[a-z][a-z0-9_]*$/);
  for (const run of ["a$(id)", "a/b", "../a", "a\nb", "a`b", "", "ä", 'a"b', " a"])
    assert.throws(
      () => namesOf(run, "00000000"),
      (error: unknown) => error instanceof UserError && error.code === "BUNDLE_NAME",
    );
  if (!isHere("g++")) return console.warn("skipped, g++ is not here: namespaces of runs' names compiled");
  await inFolder(async (folder) => {
    await writeFile(
      join(folder, "a.cpp"),
      `#include <cerrno>\n#include <cmath>\n#include <csignal>\n#include <cstdio>\n#include <cstdlib>\n#include <cstring>\n#include <ctime>\n#include <sys/select.h>\n#include <unistd.h>\nnamespace edgestill { inline namespace v1 { struct ModelInfo {}; } }\n${[...new Set(identifiers)].map((name) => `namespace ${name} { inline constexpr edgestill::ModelInfo model{}; }`).join("\n")}\nint main() {}\n`,
    );
    for (const standard of ["c++17", "gnu++20"])
      await execa("g++", [`-std=${standard}`, "-fsyntax-only", join(folder, "a.cpp")]);
  });
});

test("build-engine.sh gives trtexec the input's name as one word, whatever it holds", () =>
  inFolder(async (folder) => {
    for (const input of [
      "images",
      "input:0",
      "a b",
      "$(touch evil)",
      "`touch evil`",
      "it's",
      'a"b',
      "a;touch evil",
      "*",
      "a\\b",
      "!x",
    ]) {
      const model = { ...(await describeDetector(graph, "m")), graph: graph.clone() };
      model.graph.inputs[0]!.name = input;
      model.graph.inputs[0]!.shape = ["N", 3, 64, 96];
      const files = new Map<string, Uint8Array>();
      addTensorrtRecipe(
        files,
        {
          models: [{ role: "float", variant: "s", path: "", model, session: {} }],
          timingCaches: new Map(),
        } as unknown as BundleInput,
        namesOf("Road Nano", "1a2b3c4d"),
      );
      await mkdir(join(folder, "models/tensorrt"), { recursive: true });
      await writeFile(join(folder, "models/tensorrt/build-engine.sh"), files.get("models/tensorrt/build-engine.sh")!);
      await writeFile(
        join(folder, "trtexec"),
        '#!/bin/sh\n[ "$1" = --help ] && { echo "TensorRT v100300"; exit; }\nprintf "%s\\n" "$@"\n',
        { mode: 0o755 },
      );
      const { stdout } = await execa("sh", [join(folder, "models/tensorrt/build-engine.sh"), folder], {
        cwd: folder,
        env: { PATH: `${folder}:${process.env["PATH"]}` },
      });
      const words = stdout.split("\n");
      assert.ok(words.includes(`--shapes=${input}:1x3x64x96`), stdout);
      assert.ok(words.includes(`--onnx=${folder}/models/Road Nano-1a2b3c4d.float.onnx`), stdout);
      assert.ok(words.includes(`--saveEngine=${folder}/Road Nano-1a2b3c4d.float.trt100300.engine`), stdout);
    }
  }));

test.run();
