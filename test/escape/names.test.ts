import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isInside } from "../../bundle/checksums.ts";
import { manifestSchema } from "../../bundle/manifest-schema.ts";
import { listProblem, nameProblem, plainProblem, quotedName, shown, textProblem } from "../../escape/names.ts";
import { terminalJson, terminalText } from "../../escape/terminal.ts";
import { describeDetector } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import { parseConfig } from "../../pipeline/config.ts";
import { exactSession } from "../../pipeline/models/session.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { readInventory } from "../../targets/inventory.ts";
import { parseProbe } from "../../targets/linux/probe.ts";
import { classNames, openDataset } from "../../vision/index.ts";
import { inFolder } from "../helpers/cli.ts";
import { hostileNames } from "../helpers/hostile-names.ts";
import { refusal } from "../helpers/refusal.ts";
import { info, refused, tiny } from "../onnx/models.ts";
import { failure, withDataset } from "../vision/datasets/folder.ts";

const code = (point: number): string => String.fromCodePoint(point);
/** What no name may hold, one of each kind, and what a name may not be. */
const controls = [0, 1, 7, 8, 9, 10, 11, 12, 13, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0x2028, 0x2029, 0xd800, 0xdfff, 0xfffe, 0xffff, 0x1fffe].map(code);
const turning = [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069].map(code);
const unseen = [0xad, 0x34f, 0x61c, 0x115f, 0x17b4, 0x180e, 0x200b, 0x200e, 0x200f, 0x2060, 0x2064, 0x3164, 0xfeff, 0xffa0, 0xfff9, 0xe0001].map(code);

test("the policy: controls, turning and unseen characters, empty and long names, broken UTF-8", () => {
  for (const bad of [...controls, ...turning]) for (const text of [bad, `a${bad}b`, `a${bad}`]) assert.ok(plainProblem(text) !== undefined, quotedName(text));
  for (const bad of [...controls, ...turning, ...unseen]) assert.ok(nameProblem(`a${bad}b`) !== undefined, quotedName(bad));
  for (const bad of ["", " ", "\u00a0", "\ufffd", "a".repeat(257)]) assert.ok(nameProblem(bad) !== undefined, quotedName(bad));
  for (const good of ["car", "traffic light", "歩行者", "דרך", "👩‍🔧", "❤️", "🏴\u{e0067}\u{e0062}\u{e007f}", "می\u200cخواهم", "e\u0301", "a".repeat(256), " x "]) assert.is(nameProblem(good), undefined, good);
  for (const good of ["IMG \u200e1.jpg", "a\u202fb", "x".repeat(4096)]) assert.is(plainProblem(good), undefined);
  assert.is(textProblem("two\nlines\tof text\r\n"), undefined);
  assert.ok(textProblem("\x1b[2J") !== undefined && textProblem("a\rb") !== undefined);
});

test("two names that read alike are refused, the same name twice is for each list to decide", () => {
  assert.is(listProblem(["caf\u00e9", "cafe\u0301"])?.index, 1);
  assert.is(listProblem(["\u212b", "\u00c5"])?.index, 1);
  assert.is(listProblem(["car", "car"]), undefined);
  assert.is(listProblem(hostileNames(600)), undefined);
});

test("what is shown holds no control, and the error that names a refused name neither", () => {
  const all = [...controls, ...turning].join("");
  for (const text of [shown(all), quotedName(all), terminalText(all), terminalJson({ [all]: all })]) assert.not.match(text.replaceAll("\n", ""), /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
  assert.equal(JSON.parse(terminalJson({ [all]: [all, 1] })), { [all]: [all, 1] });
});

const bad = ["a\x1b[2Jb", "a\u0085b", "a\u2028b", "a\u202eb", "a\u200bb", "a\x9bb", "\u007f"];
const box = "0 0.5 0.5 0.5 0.5\n";
const pictures = { "images/a.png": [8, 8], "labels/a.txt": box } as const;
const jsonText = (name: string): string => JSON.stringify(name).replace(/[^\x20-\x7e]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Data sets whose third class is `name`; `line` is where it stands. */
const sets: Readonly<Record<string, (name: string) => { readonly files: Parameters<typeof withDataset>[0]; readonly open: string; readonly file: string; readonly line: number }>> = {
  "data.yaml, raw": (name) => ({ files: { ...pictures, "data.yaml": `val: images\nnames:\n  - car\n  - bus\n  - "${name}"\n` }, open: "data.yaml", file: "data.yaml", line: 5 }),
  "data.yaml, escaped": (name) => ({ files: { ...pictures, "data.yaml": `val: images\nnames:\n  0: car\n  1: bus\n  2: ${jsonText(name)}\n` }, open: "data.yaml", file: "data.yaml", line: 5 }),
  "classes.txt": (name) => ({ files: { ...pictures, "classes.txt": `car\nbus\n${name}\n` }, open: ".", file: "classes.txt", line: 3 }),
  "obj.data": (name) => ({ files: { "obj.data": "classes = 3\nnames = data/obj.names\nvalid = data/val.txt\n", "obj.names": `car\nbus\n${name}\n`, "val.txt": "data/a.png\n", "a.png": [8, 8], "a.txt": box }, open: "obj.data", file: "obj.names", line: 3 }),
  "COCO JSON": (name) => ({ files: { "a.png": [8, 8], "c.json": `{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [],\n"categories": [{"id": 1, "name": "car"},\n{"id": 2, "name": "bus"},\n{"id": 3, "name": ${jsonText(name)}}]}` }, open: "c.json", file: "c.json", line: 4 }),
  "VOC XML": (name) => ({ files: { "JPEGImages/a.png": [8, 8], "Annotations/a.xml": `<annotation>\n<object><name>car</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>\n<object><name>x${name}x</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>\n</annotation>` }, open: ".", file: "a.xml", line: 3 }),
};
for (const [what, make] of Object.entries(sets)) test(`${what}: a class name is refused with file and line`, async () => {
  for (const name of what === "data.yaml, raw" ? bad.filter((one) => !/[\x7f-\x9f\u2028]/.test(one)) : bad) {
    const { files, open, file, line } = make(name);
    await withDataset(files, async (root) => {
      for (const skipInvalid of [false, true]) {
        const error = await failure(openDataset(join(root, open), { skipInvalid }));
        assert.is(error.code, "BAD_CLASS_NAMES", `${quotedName(name)}: ${error.message}`);
        assert.match(error.message, `${file}" line ${line}: the class name "`);
      }
    });
  }
});

test("line breaks in names of labels: no class more, none less", async () => {
  for (const name of ["a\nb", "a\rb", "a\r\nb"]) for (const what of ["data.yaml, escaped", "COCO JSON"]) {
    const { files, open, file, line } = sets[what]!(name);
    await withDataset(files, async (root) => assert.match((await failure(openDataset(join(root, open)))).message, `${file}" line ${line}: `));
  }
});

test("names of a caller, and two classes that differ by normalization only", () => withDataset({ "images/a.png": [8, 8], "labels/a.txt": box }, async (root) => {
  assert.is((await failure(openDataset(root, { labelNames: ["car\x1b"] }))).code, "BAD_CLASS_NAMES");
  assert.is((await failure(openDataset(root, { labelNames: ["car"], classes: ["ca\u0000r"] }))).code, "BAD_CLASS_NAMES");
  await writeFile(join(root, "classes.txt"), "caf\u00e9\ncafe\u0301\n");
  assert.match((await failure(openDataset(root))).message, /line 2: .*normalization/);
}));

test("a picture whose name holds a control is reported, or left out and counted", () => withDataset({ "images/a.png": [8, 8], "labels/a.txt": box, "images/b\x1b[2J.png": [8, 8], "labels/b\x1b[2J.txt": box, "classes.txt": "car\n" }, async (root) => {
  const error = await failure(openDataset(root));
  assert.is(error.code, "DATASET_INVALID");
  assert.match(error.message, "U+001B");
  assert.is((await openDataset(root, { skipInvalid: true })).items.length, 1);
}));

test("a model's class names, from its metadata or given", async () => {
  const graph = yoloStudent({ classes: ["car", "bus"], size: [96, 64], width: 0.125, depth: 0.33, seed: 1 });
  for (const text of [`{0: 'car', 1: 'b\\x1bus'}`, `{0: 'car', 1: 'b\\nus'}`, `["car", "b\\u2028us"]`, `{0: 'car', 1: ''}`, `{0: 'car', 1: '\\UFFFFFFFF'}`, `{0: 'caf\u00e9', 1: 'cafe\u0301'}`, `{0: 'car', 1: 'b\\033us'}`]) {
    graph.metadata.set("names", text);
    const error = await refusal(describeDetector(graph, "m.onnx"));
    assert.is(error.code, "BAD_CLASS_NAMES", text);
    assert.match(error.message, "m.onnx: class 1, ");
  }
  assert.is((await refusal(describeDetector(graph, "m.onnx", { classes: ["car", "b\tus"] }))).code, "BAD_CLASS_NAMES");
});

test("names that a student carries come back from its metadata exactly", () => {
  const names = hostileNames(600);
  assert.equal(classNames(yoloStudent({ classes: names, size: [96, 64], width: 0.125, depth: 0.33, seed: 1 }).metadata), names);
});

test("a model's tensors, nodes, ops, free sizes, attributes and metadata keys", () => {
  for (const name of ["a\x1b[2J", "a\nb", "a\u202eb", "a\u2028", "x".repeat(4097)]) {
    refused(tiny({ input: [info(name)], node: [{ opType: "Relu", input: [name], output: ["y"] }] }), "BAD_NAME");
    refused(tiny({ output: [info(name)], node: [{ opType: "Relu", input: ["x"], output: [name] }] }), "BAD_NAME");
    refused(tiny({ node: [{ opType: "Relu", name, input: ["x"], output: ["y"] }] }), "BAD_NAME", "the node name");
    refused(tiny({ node: [{ opType: name, domain: "d", input: ["x"], output: ["y"] }] }), "BAD_NAME");
    refused(tiny({ input: [info("x", [name])] }), "BAD_NAME", "the free size");
    refused(tiny({}, { metadataProps: [{ key: name, value: "1" }] }), "BAD_NAME", "the metadata key");
  }
});

test("session settings of a model are known switches", () => {
  const graph = yoloStudent({ classes: ["car"], size: [96, 64], width: 0.125, depth: 0.33, seed: 1 });
  for (const text of ['{"ep.context_file_path": "/etc/x"}', '{"session.load_model_format": "ORT"}', "{", "[]", "null", '{"session.disable_quant_qdq": 1}', '{"session.disable_quant_qdq": "/x"}']) {
    graph.metadata.set("edgestill.session", text);
    assert.throws(() => exactSession(graph), (error: unknown) => error instanceof UserError && error.code === "SESSION_SETTINGS", text);
  }
  graph.metadata.set("edgestill.session", '{"session.disable_quant_qdq": "1"}');
  assert.equal(exactSession(graph).session, { extra: { "session.disable_quant_qdq": "1" } });
});

test("a bundle's manifest and paths", () => {
  const { classes, session } = { classes: manifestSchema.shape.classes, session: manifestSchema.shape.models.element.shape.session };
  for (const name of bad) assert.not.ok(classes.safeParse(["car", name]).success);
  for (const name of bad.filter((one) => one !== "a\u200bb")) assert.not.ok(isInside(`b/${name}`));
  assert.ok(classes.safeParse(hostileNames(600)).success && isInside("b/a b/ü.txt"));
  assert.not.ok(session.safeParse({ "ep.context_file_path": "/x" }).success);
});

test("text of a config and of an inventory is refused with its line", () => inFolder(async (folder) => {
  const config = (line: string): string => `name: a\ndata: {generate: {module: m.js, train: 4, val: 2}}\ninput: {size: [96, 64]}\n${line}\n`;
  await writeFile(join(folder, "m.js"), "");
  for (const line of ['requirements: [{id: "a\\eb", metric: map, limit: 0}]', 'prune: {macs: 0.5, exclude: ["a\\u2028"]}', 'bundle: {autowareLabels: {"c\\tar": CAR}}', 'bundle: {limits: ["\\e[2J"]}', 'quantize: {keepFloat: ["\\u202e"]}'])
    assert.throws(() => parseConfig(config(line), join(folder, "c.yaml")), /c\.yaml:4: .*is refused: it holds/, line);
  assert.equal(parseConfig(config("bundle:\n  limits:\n    - |\n      not in fog,\n      nor at night"), join(folder, "c.yaml")).config.bundle?.limits, ["not in fog,\nnor at night\n"]);
  await writeFile(join(folder, "t.yaml"), '- local\n- {name: pi, kind: rpi,\n   host: "pi@\\e[2J"}\n');
  assert.match((await refusal(readInventory(join(folder, "t.yaml")))).message, "line 3: ");
}));

test("what a device says of itself is shown, not obeyed", () => {
  const facts = parseProbe("hostname=pi\x1b[2J\x9b\nmodel=Raspberry\u202e Pi\u2028\nos=\x07Linux\n");
  assert.equal([facts.hostname, facts.model, facts.os], ["pi\ufffd[2J\ufffd", "Raspberry\ufffd Pi\ufffd", "\ufffdLinux"]);
});

test.run();
