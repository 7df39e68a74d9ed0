import { test } from "uvu";
import * as assert from "uvu/assert";
import { Tensor } from "../../graph/tensor.ts";
import { parseGraph, printGraph } from "../../graph/text.ts";
import { parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { runOnce } from "../../runtime/session.ts";
import { floats, info, proto, refused, tiny } from "./models.ts";

const saved = (bytes: Uint8Array) => proto.ModelProto.decode(serializeModel(parseModel(bytes).graph));

for (const irVersion of [4, 5, 6, 7, 8, 9, 10]) test(`IR version ${irVersion} is kept`, () => assert.is(Number(saved(tiny({}, { irVersion })).irVersion), irVersion));

test("IR version 3: weights listed as inputs become constants", async () => {
  const { graph, notes } = parseModel(tiny({ input: [info("w"), info("x")] }, { irVersion: 3, opsetImport: [{ domain: "", version: 9 }] }));
  assert.equal(graph.inputs.map(({ name }) => name), ["x"]);
  assert.match(notes.join(), "1 inputs with contents (\"w\") were taken for constants");
  assert.is(Number(proto.ModelProto.decode(serializeModel(graph)).irVersion), 4);
  assert.equal([...(await runOnce(graph, { x: Tensor.float32([2], [1, 0.5]) }))["y"]!.floats], [2, 0]);
});

for (const irVersion of [4, 8, 10]) test(`IR version ${irVersion}: an input with contents is a constant`, async () => {
  const { graph, notes } = parseModel(tiny({ input: [info("x"), info("w"), info("spare")], initializer: [floats("w", [1, -1]), floats("spare", [5, 6])] }, { irVersion }));
  const written = proto.ModelProto.decode(serializeModel(graph));
  assert.equal([written.graph!.input!.map(({ name }) => name), written.graph!.initializer!.map(({ name }) => name)], [["x"], ["w"]]);
  assert.is(Number(written.irVersion), irVersion);
  assert.match(notes.join(), "2 inputs with contents (\"w\", \"spare\")");
  assert.equal([...(await runOnce(graph, { x: Tensor.float32([2], [1, 0.5]) }))["y"]!.floats], [2, 0]);
});

test("nodes in any order are sorted, and those that are in order stay as they are", async () => {
  const listed = [
    { opType: "Relu", name: "last", input: ["s"], output: ["y"] }, { opType: "Neg", name: "free", input: ["x"], output: ["n"] },
    { opType: "Add", name: "middle", input: ["n", "w"], output: ["s"] },
  ];
  const { graph, notes } = parseModel(tiny({ node: listed }));
  assert.equal([...graph.nodes].map(({ name }) => name), ["free", "middle", "last"]);
  assert.match(notes.join(), "not listed in execution order");
  assert.equal([...(await runOnce(graph, { x: Tensor.float32([2], [-3, 0.5]) }))["y"]!.floats], [4, 0]);
  const independent = tiny({ node: [{ opType: "Neg", name: "b", input: ["x"], output: ["n"] }, { opType: "Relu", name: "a", input: ["x"], output: ["y"] }] });
  assert.equal(parseModel(independent).notes, []);
  assert.equal([...parseModel(independent).graph.nodes].map(({ name }) => name), ["b", "a"]);
});

test("a body of If may read what a later node of the outer graph makes, and its own nodes are sorted too", async () => {
  const branch = (name: string, opType: string) => ({
    name, output: [info(`${name}/y`)],
    node: [{ opType: "Neg", input: [`${name}/t`], output: [`${name}/y`] }, { opType, input: ["later"], output: [`${name}/t`] }],
  });
  const { graph, notes } = parseModel(tiny({
    initializer: [{ name: "c", dataType: 9, dims: [], int32Data: [1] }],
    node: [
      { opType: "If", name: "if", input: ["c"], output: ["y"], attribute: [{ name: "then_branch", type: 5, g: branch("then", "Abs") }, { name: "else_branch", type: 5, g: branch("else", "Relu") }] },
      { opType: "Neg", name: "made late", input: ["x"], output: ["later"] },
    ],
  }));
  assert.is(notes.length, 3, notes.join("\n"));
  assert.equal([...(await runOnce(graph, { x: Tensor.float32([2], [-3, 0.5]) }))["y"]!.floats], [-3, -0.5]);
});

test("metadata, producer, domain and documentation are kept", () => {
  const model = { producerName: "exporter", producerVersion: "2.1", domain: "org.example", docString: "about", metadataProps: [{ key: "names", value: "{0: 'straße'}" }, { key: "empty", value: "" }] };
  const { graph: _, opsetImport, ...facts } = saved(tiny({ docString: "graph doc", node: [{ opType: "Custom", domain: "org.example", name: "n", docString: "node doc", input: ["x", "", "w"], output: ["y", "", "z"] }] },
    { ...model, opsetImport: [{ domain: "", version: 17 }, { domain: "org.example", version: 3 }] }));
  for (const [key, value] of Object.entries(model)) assert.equal((JSON.parse(JSON.stringify(facts)) as Record<string, unknown>)[key], JSON.parse(JSON.stringify(value)), key);
  assert.equal(opsetImport.map(({ domain, version }) => [domain, Number(version)]), [["", 17], ["org.example", 3]]);
});

const imports = (domain: string) => ({ opsetImport: [{ domain: "", version: 17 }, { domain, version: 1 }] });

test("nodes of other domains, outputs left out and inputs left out are kept", () => {
  const { graph } = saved(tiny({ node: [{ opType: "Custom", domain: "org.example", name: "n", docString: "node doc", input: ["x", "", "w"], output: ["y", "", "z"] }] }, imports("org.example")));
  const node = graph!.node![0]!;
  assert.equal([node.opType, node.domain, node.name, node.docString, node.input, node.output], ["Custom", "org.example", "n", "node doc", ["x", "", "w"], ["y", "", "z"]]);
});

test("attributes of every type are kept", () => {
  const attribute = [
    { name: "f", type: 1, f: 0.5 }, { name: "i", type: 2, i: -3 }, { name: "s", type: 3, s: Buffer.from("straße") }, { name: "t", type: 4, t: floats("", [1, 2]) },
    { name: "floats", type: 6, floats: [1, 2.5] }, { name: "ints", type: 7, ints: [1, -2] }, { name: "strings", type: 8, strings: [Buffer.from("a"), Buffer.from("")] },
    { name: "tensors", type: 9, tensors: [floats("", [3])] }, { name: "none", type: 7, ints: [] },
  ];
  const bytes = tiny({ node: [{ opType: "Custom", domain: "d", input: ["x"], output: ["y"], attribute }] }, imports("d"));
  const { graph } = parseModel(bytes);
  const values = Object.fromEntries([...[...graph.nodes][0]!.attributes].map(([name, { type, value }]) => [name, [type, value]]));
  assert.equal(values["f"], ["float", 0.5]);
  assert.equal([values["i"], values["s"], values["ints"], values["strings"], values["none"]], [["int", -3], ["string", "straße"], ["ints", [1, -2]], ["strings", ["a", ""]], ["ints", []]]);
  const once = serializeModel(graph);
  assert.equal(serializeModel(parseModel(once).graph), once);
});

const longIntegers = ["9223372036854775807", "9223372036854775806", "-9223372036854775808", "-9223372036854775807", "9007199254740993", "4611686018427387904", "-1"];
for (const text of longIntegers) test(`the int64 ${text} stays what it is, as attribute, in a list and in a tensor`, () => {
  const { i, ints } = proto.AttributeProto.fromObject({ name: "axis", type: 2, i: text, ints: [text, 3] });
  const tensor = proto.TensorProto.fromObject({ dataType: 7, dims: [1], int64Data: [text] });
  const attribute = [{ name: "one", type: 2, i }, { name: "list", type: 7, ints }, { name: "tensor", type: 4, t: tensor }];
  const bytes = tiny({ node: [{ opType: "Custom", domain: "d", input: ["x"], output: ["y"], attribute }] }, imports("d"));
  const [one, list, held] = saved(bytes).graph!.node![0]!.attribute!;
  assert.equal([one!.i!.toString(), list!.ints!.map(String)], [text, [text, "3"]]);
  assert.is(new BigInt64Array(Uint8Array.from(held!.t!.rawData!).buffer)[0], BigInt(text));
  const { graph } = parseModel(bytes);
  assert.is(printGraph(parseGraph(printGraph(graph))), printGraph(graph));
  assert.ok(printGraph(graph).includes(`one=${text}`), printGraph(graph));
});

test("Constant nodes with value_int and value_ints hold every int64", () => {
  const ints = proto.AttributeProto.fromObject({ ints: longIntegers }).ints;
  const { graph } = parseModel(tiny({ node: [{ opType: "Constant", input: [], output: ["k"], attribute: [{ name: "value_ints", type: 7, ints }] }, { opType: "Relu", input: ["x"], output: ["y"] }] }));
  const constant = [...graph.nodes][0]!.out().constant!;
  assert.equal([constant.dtype, Array.from(constant.data as BigInt64Array, String)], ["int64", longIntegers]);
});

test("symbolic, unknown and negative dimensions", () => {
  const { graph } = parseModel(tiny({ input: [info("x", ["batch", -1, 3])], node: [{ opType: "Relu", input: ["x"], output: ["y"] }], initializer: [] }));
  const [batch, unknown, three] = graph.inputs[0]!.shape!;
  assert.equal([batch, three], ["batch", 3]);
  assert.match(String(unknown), /^\?/);
  const again = proto.ModelProto.decode(serializeModel(graph)).graph!.input![0]!.type!.tensorType!.shape!.dim!;
  assert.equal(again.map((dim) => dim.dimParam || Number(dim.dimValue)), ["batch", 0, 3]);
});

test("saving twice gives the same bytes, and clashing names of new values become unique", async () => {
  const { graph } = parseModel(tiny());
  const relu = [...graph.nodes][1]!;
  const extra = graph.addNode({ opType: "Neg", inputs: [relu.in(0)], outputs: ["s"] });
  relu.replaceInput(0, extra.out());
  const once = serializeModel(graph);
  assert.equal(serializeModel(graph), once);
  assert.equal(serializeModel(parseModel(once).graph), once);
  assert.equal([...(await runOnce(once, { x: Tensor.float32([2], [1, 0.5]) }))["y"]!.floats], [0, 0.5]);
});

test("bytes that are no text in a string attribute are refused, not mangled", () =>
  refused(tiny({ node: [{ opType: "C", domain: "d", input: ["x"], output: ["y"], attribute: [{ name: "blob", type: 3, s: Uint8Array.of(0xff, 0xfe) }] }] }), "UNSUPPORTED_ONNX", "no UTF-8"));

test.run();
