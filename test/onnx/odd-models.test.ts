import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { writeGradientModel } from "../../pipeline/models/grad.ts";
import { inspectModel } from "../../pipeline/models/inspect.ts";
import { pruneFile } from "../../pipeline/models/prune.ts";
import { openSession } from "../../runtime/session.ts";
import { inFolder } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";
import { floats, info, loadOrRefuse, refused, tiny, type IGraph } from "./models.ts";
import { UserError } from "../../graph/error.ts";

const add = { opType: "Add", name: "n", input: ["x", "w"], output: ["s"] };
const relu = { opType: "Relu", name: "n", input: ["s"], output: ["y"] };
const opened = (bytes: Uint8Array) => {
  const result = loadOrRefuse(bytes);
  if (result instanceof UserError) throw result;
  return result;
};

test("an output that is listed twice is said and saved once", () => {
  const { graph, notes } = opened(tiny({ output: [info("y"), info("y")] }));
  assert.match(notes.join(), /output "y" is listed more than once/);
  assert.equal(opened(serializeModel(graph)).graph.outputs.map(({ name }) => name), ["y"]);
});

test("nodes of one name are said, and the saved file opens in ONNX Runtime", async () => {
  const { graph, notes } = opened(tiny({ node: [add, relu] }));
  assert.match(notes.join(), /several nodes have one name \("n"\)/);
  const saved = serializeModel(graph);
  await (await openSession(saved, { threads: 1 })).close();
  assert.equal([...opened(saved).graph.nodes].map(({ name }) => name), ["n", "n#1"]);
});

const clip = (low: readonly number[], dims: readonly number[]): IGraph => ({
  initializer: [floats("w", [1, -1]), floats("low", low, dims)],
  node: [add, { opType: "Clip", input: ["s", "low"], output: ["y"] }],
});
const range = (numbers: readonly number[]): IGraph => ({
  initializer: numbers.map((value, at) => floats(`r${at}`, [value], [])), output: [info("y", ["n"])],
  node: [{ opType: "Range", input: ["r0", "r1", "r2"], output: ["y"] }],
});
for (const [name, graph, words] of [
  ["bounds of Clip that broadcast", clip([0, 0], [2]), "must be one number"],
  ["a Range without steps", range([0, 0, 0]), "delta is 0"],
  ["a Range to no number", range([0, NaN, 1]), "limit is no finite number"],
  ["an operator of a domain that is not imported", { node: [add, { ...relu, opType: "Magic", domain: "acme" }] }, "imports no operator set"],
] as const satisfies readonly (readonly [string, IGraph, string])[])
  test(`refused: ${name}`, () => refused(tiny(graph), "INVALID_OP", words));
test("refused: an output without a name", () => refused(tiny({ output: [info("y"), info("")] }), "NOT_ONNX", "has no name"));

for (const [name, graph, prune, grad] of [
  ["nothing but a Relu", { initializer: [], node: [{ ...relu, input: ["x"] }] }, "NOTHING_TO_PRUNE", "NO_GRADIENT"],
  ["no node", { initializer: [], node: [], output: [info("x")] }, "NOTHING_TO_PRUNE", "NO_GRADIENT"],
  ["no input, no output, no node", { initializer: [], node: [], input: [], output: [] }, "SESSION", "UNKNOWN_VALUE"],
  ["text alone", { initializer: [], input: [info("x", [2], 8)], output: [info("y", [2], 8)], node: [{ opType: "Identity", input: ["x"], output: ["y"] }] }, "NOTHING_TO_PRUNE", "NO_GRADIENT"],
] as const satisfies readonly (readonly [string, IGraph, string, string])[])
  test(`a model of ${name} is inspected; prune and grad say why not`, () => inFolder(async (folder) => {
    const [file, out] = [join(folder, "model.onnx"), join(folder, "out.onnx")];
    await writeFile(file, tiny(graph));
    assert.is((await inspectModel(file)).macs, 0);
    assert.is((await refusal(pruneFile(file, { out, macs: 0.5 }))).code, prune);
    const { graph: { outputs } } = await loadModel(file);
    assert.is((await refusal(writeGradientModel(file, { loss: outputs[0]?.name ?? "y", out }))).code, grad);
  }));

test.run();
