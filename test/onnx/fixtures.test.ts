import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { runOnce } from "../../runtime/session.ts";
import { expectations, fixture, proto } from "./models.ts";

const outputsAsRecorded = async (model: Graph | Uint8Array, name: string): Promise<void> => {
  const { inputs, outputs } = expectations[name]!;
  const feeds = Object.fromEntries(Object.entries(inputs).map(([input, { shape, dtype, values }]) => [input, Tensor.from(dtype, shape, values.map(Number))]));
  const actual = await runOnce(model, feeds, { threads: 1 });
  assert.equal(Object.keys(actual), Object.keys(outputs));
  for (const [output, { shape, values }] of Object.entries(outputs)) {
    assert.equal(actual[output]!.shape, shape);
    for (const [i, value] of actual[output]!.floats.entries()) assert.ok(Math.abs(value - values[i]!) <= 1e-5, `${output}[${i}] is ${value}, expected ${values[i]}`);
  }
};

for (const name of ["torchscript.onnx", "dynamo.onnx", "newer-fields.onnx", "branches.onnx", "loop.onnx"]) {
  test(`${name}: loaded, cloned and saved it gives the recorded outputs`, async () => {
    const { graph } = parseModel(fixture(name));
    checkGraph(graph);
    const clone = graph.clone();
    checkGraph(clone);
    await outputsAsRecorded(graph, name);
    await outputsAsRecorded(clone, name);
  });

  test(`${name}: save, load, save is stable`, () => {
    const once = serializeModel(parseModel(fixture(name)).graph);
    assert.equal(serializeModel(parseModel(once).graph), once);
    assert.equal(serializeModel(parseModel(once).graph.clone()), once);
  });
}

for (const form of ["raw", "typed"]) test(`every element type, ${form} data`, () => {
  const { graph } = parseModel(fixture(`dtypes-${form}.onnx`));
  const again = parseModel(serializeModel(graph)).graph;
  for (const model of [graph, again]) {
    const found = Object.fromEntries([...model.nodes].map((node) => [node.out().name, node.out().constant!]));
    for (const [dtype, hex] of Object.entries(expectations.bytes)) {
      assert.is(found[dtype]!.dtype, dtype);
      assert.is(Buffer.from(found[dtype]!.bytes).toString("hex"), hex, dtype);
    }
    assert.equal(found["bfloat16"]!.toNumbers(), [1, -2]);
    assert.equal(found["string"]!.strings, ["straße", ""]);
  }
});

test("what newer ONNX adds is kept without a note", () => {
  const { graph, notes } = parseModel(fixture("newer-fields.onnx"));
  assert.equal(notes, []);
  assert.is([...graph.nodes][0]!.doc, "kept");
  const { graph: body, opsetImport, ...facts } = proto.ModelProto.decode(serializeModel(graph));
  assert.is(body!.node![0]!.name, "product");
  assert.equal([facts.producerName, facts.producerVersion, Number(facts.modelVersion), facts.docString, Number(facts.irVersion), Number(opsetImport[0]!.version)], ["make.py", "1.2", 7, "about the model", 10, 21]);
  assert.equal(facts.metadataProps.map(({ key, value }) => [key, value]), [["names", "{0: 'car'}"], ["author", "straße"]]);
});

/** `bytes` as field `field` (length-delimited) of each message on the way down `path` from a model's root. */
const wrapped = (path: readonly number[], bytes: Buffer): Buffer =>
  [...path].reverse().reduce((inner, field) => Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(inner.length)]), inner]), bytes);
/** opset_import: version 17 of ai.onnx. */
const opsets = Buffer.from([0x42, 2, 0x10, 17]);
const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]);

test("refused: an overload of an operator of ONNX itself", () => {
  const bytes = Buffer.concat([opsets, wrapped([7, 1, 8], Buffer.from("v"))]);
  assert.throws(() => parseModel(bytes), (error: { code?: string; message: string }) => error.code === "UNSUPPORTED_ONNX" && error.message.includes("overload"));
});

test("refused: a model with two graphs, which readers would merge or choose from", () => {
  const bytes = Buffer.concat([fixture("torchscript.onnx"), wrapped([7, 2], Buffer.from("again"))]);
  assert.throws(() => parseModel(bytes), (error: { code?: string; message: string }) => error.code === "NOT_ONNX" && error.message.includes("twice"));
});

const constant = Buffer.from(
  proto.NodeProto.encode({ opType: "Constant", output: ["y"], attribute: [{ name: "value_float", type: 1, f: 1 }] }).finish(),
);

for (const [name, path, field] of [
  ["in the graph", [7], "GraphProto.99"], ["in a node", [7, 1], "NodeProto.98"], ["in the model", [], "ModelProto.97"],
] as const) test(`a field of the future ${name} is kept and noted`, () => {
  const unknown = wrapped([Number(field.split(".")[1])], Buffer.from("v"));
  const addition = path.length === 2 ? wrapped([path[1]], Buffer.concat([constant, unknown])) : unknown;
  const graph = path.length === 0 ? wrapped([7, 2], Buffer.from("g")) : wrapped([7], Buffer.concat([wrapped([2], Buffer.from("g")), addition]));
  const bytes = Buffer.concat([opsets, graph, ...(path.length === 0 ? [addition] : [])]);
  const { graph: loaded, notes } = parseModel(bytes);
  assert.ok(notes.join().includes(`${field} (1x)`), notes.join());
  for (const saved of [loaded, loaded.clone()]) assert.ok(Buffer.from(serializeModel(saved)).includes(wrapped([Number(field.split(".")[1])], Buffer.from("v"))));
});

test("a weight that both branches and the model read is written once", () => {
  const { graph } = parseModel(fixture("branches.onnx"));
  const written = proto.ModelProto.decode(serializeModel(graph)).graph!;
  assert.equal(written.initializer!.map(({ name }) => name).sort(), ["scale", "shift", "zero"]);
  const bodies = written.node!.flatMap((node) => node.attribute ?? []).flatMap(({ g }) => (g ? [g] : []));
  assert.equal(bodies.map(({ initializer }) => initializer!.length), [0, 0]);
});

test("an edit of a captured value reaches the bodies", async () => {
  const { graph } = parseModel(fixture("branches.onnx"));
  const scale = graph.initializers.find(({ name }) => name === "scale")!;
  scale.tensor = Tensor.float32([2], [0, 0]);
  const [y] = Object.values(await runOnce(graph, { x: Tensor.float32([2], [3, -1]) }));
  assert.equal([...y!.floats], [0.5, 0.25]);
});

test.run();
