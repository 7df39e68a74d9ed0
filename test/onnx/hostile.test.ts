import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { loadModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { fixture, fixturePath, floats, info, loadOrRefuse, proto, refused, tiny, type IGraph, type ITensor } from "./models.ts";

const relu = { opType: "Relu", input: ["x"], output: ["y"] };

function sparse(values: ITensor, dims: readonly number[] = [2], indices: readonly number[] = [0]): IGraph {
  return { initializer: [], sparseInitializer: [{ dims: [...dims], values: { ...values, name: "w" }, indices: { dataType: 7, dims: [indices.length], int64Data: [...indices] } }] };
}

for (const [name, graph, words] of [
  ["a shape larger than its data", { initializer: [floats("w", [1], [1e9])] }, "needs 1000000000 elements and has 1"],
  ["a shape whose product overflows", { initializer: [floats("w", [1], [2 ** 40, 2 ** 40])] }, "has the shape"],
  ["a negative dimension", { initializer: [floats("w", [1], [-1, -1])] }, "has the shape"],
  ["raw data of half an element", { initializer: [{ name: "w", dataType: 1, dims: [2], rawData: new Uint8Array(7) }] }, "and has 1.75"],
  ["an input that nothing makes", { node: [{ ...relu, input: ["nowhere"] }] }, `reads "nowhere"`],
  ["an output that nothing makes", { output: [info("nothing")] }, `output "nothing"`],
  ["a cycle", { node: [{ opType: "Add", input: ["x", "y"], output: ["s"] }, { opType: "Relu", input: ["s"], output: ["y"] }] }, "form a cycle"],
  ["a node that reads itself", { node: [{ opType: "Add", input: ["x", "y"], output: ["y"] }] }, `form a cycle: Add "y"`],
  ["two nodes that make one value", { node: [relu, { ...relu, opType: "Neg" }] }, `"y" is made twice`],
  ["a node that makes an input", { node: [relu, { ...relu, output: ["x"] }] }, `"x" is made twice`],
  ["two inputs of one name", { input: [info("x"), info("x")] }, `"x" is made twice`],
  ["two initializers of one name", { initializer: [floats("w", [1]), floats("w", [2])] }, `"w" is made twice`],
  ["two attributes of one name", { node: [{ ...relu, attribute: [{ name: "a", type: 2, i: 1 }, { name: "a", type: 2, i: 2 }] }] }, `two attributes "a"`],
  ["a sparse initializer without indices", { sparseInitializer: [{ dims: [3], values: floats("w", [1]) }] }, "sparse"],
  ["a sparse initializer with an index beyond its shape", sparse(floats("w", [1]), [4], [4]), "beyond its shape"],
  ["a sparse initializer with a negative index", sparse(floats("w", [1]), [4], [-1]), "beyond its shape"],
  ["a sparse initializer with fewer indices than values", sparse(floats("w", [1, 2]), [4], [1]), "do not match"],
] as const satisfies readonly (readonly [string, IGraph, string])[]) test(`refused: ${name}`, () => refused(tiny(graph), "NOT_ONNX", words));

for (const [name, graph, words] of [
  ["an element type that we cannot hold", { initializer: [{ name: "w", dataType: 29, dims: [2], rawData: new Uint8Array(2) }] }, "element type 29"],
  ["an input that is a sequence", { input: [{ name: "x", type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } }] }, "no tensor"],
  ["an input without a type", { input: [{ name: "x" }] }, "no tensor"],
  ["a sparse initializer of strings", sparse({ dataType: 8, dims: [1], stringData: [Buffer.from("a")] }), "sparse"],
  ["a sparse initializer that would fill the memory", sparse(floats("w", [1]), [2 ** 20, 2 ** 20]), "sparse"],
  ["a tensor in segments", { initializer: [{ ...floats("w", [1, 2]), segment: { begin: 0, end: 1 } }] }, "segmented"],
  ["an attribute reference", { node: [{ ...relu, attribute: [{ name: "a", type: 2, refAttrName: "outer" }] }] }, "attribute reference"],
  ["an attribute without a type", { node: [{ ...relu, attribute: [{ name: "a", i: 2 }] }] }, `attribute "a"`],
] as const satisfies readonly (readonly [string, IGraph, string])[]) test(`refused: ${name}`, () => refused(tiny(graph), "UNSUPPORTED_ONNX", words));

for (const [name, bytes] of [
  ["no bytes", new Uint8Array(0)], ["a text", Buffer.from("this is no model\n".repeat(20))], ["a picture", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")],
  ["a zip file", Buffer.from("504b030414000000080000002100", "hex")], ["zeros", new Uint8Array(1000)], ["a length of 4 GB", Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1)],
  ["a varint without end", new Uint8Array(64).fill(0xff)], ["no graph", proto.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 17 }] }).finish()],
  ["no operator set", proto.ModelProto.encode({ irVersion: 8, graph: { name: "g" } }).finish()], ["groups in groups", new Uint8Array(100_000).fill(0x0b)],
] as const) test(`not a model: ${name}`, () => refused(bytes, "NOT_ONNX"));

/** field 7 (graph) { field 1 (node) { field 5 (attribute) { field 6 (graph) … } } }, `depth` times. */
const nested = (path: readonly number[], depth: number): Uint8Array => {
  let inner: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) for (const field of [...path].reverse()) inner = Buffer.concat([varint(field * 8 + 2), varint(inner.length), inner]);
  return Buffer.concat([Buffer.from([0x3a]), varint(inner.length), inner]);
};
const varint = (value: number): Buffer => (value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value % 128) | 128]), varint(Math.floor(value / 128))]));

test("bodies nested too deeply are refused", () => refused(nested([1, 5, 6], 2000), "NOT_ONNX", "nested too deeply"));
test("types nested deeply are refused", () => assert.instance(loadOrRefuse(nested([11, 2, ...new Array<number>(6000).fill(4)], 1)), UserError));

test("a model cut off anywhere is refused or sound, never a crash", () => {
  for (const name of ["torchscript.onnx", "loop.onnx"]) {
    const bytes = fixture(name);
    for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 300)) {
      const isEnd = bytes.length - length < 20; // after the graph only the operator sets follow
      if (!isEnd) assert.instance(loadOrRefuse(bytes.subarray(0, length)), UserError, `${name} cut at ${length}`);
      else loadOrRefuse(bytes.subarray(0, length));
    }
  }
});

test("3000 models with random bytes changed are refused or load, save and load again; memory stays small", () => {
  const generator = xoroshiro128plus(20);
  const below = (limit: number): number => (generator.next() >>> 0) % limit;
  const models = [tiny(), fixture("branches.onnx"), fixture("loop.onnx"), fixture("dtypes-typed.onnx")];
  const before = process.memoryUsage().rss;
  let loaded = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = Uint8Array.from(models[round % models.length]!);
    for (let n = 1 + below(4); n > 0; n--) {
      const at = below(bytes.length);
      if (below(4) === 0) bytes.copyWithin(at, below(bytes.length), Math.min(bytes.length, at + below(12)));
      else bytes[at] = below(3) === 0 ? 0xff : below(256);
    }
    const result = loadOrRefuse(bytes);
    if (result instanceof UserError) continue;
    loaded++;
    const again = loadOrRefuse(serializeModel(result.graph));
    assert.not.instance(again, UserError, again instanceof UserError ? `round ${round}: what was saved is refused: ${again.message}` : "");
  }
  assert.ok(loaded > 100 && loaded < 2900, `${loaded} loaded`);
  assert.ok(process.memoryUsage().rss - before < 400e6, `grew by ${(process.memoryUsage().rss - before) / 1e6} MB`);
});

test("many inputs with defaults and many bodies load in linear time", () => {
  const count = 20_000;
  const names = Array.from({ length: count }, (_, i) => `v${i}`);
  const many = tiny({ input: [info("x"), ...names.map((name) => info(name))], initializer: names.map((name) => floats(name, [1, 2])), node: [relu] });
  const body = { name: "b", output: [info("x")] };
  const bodies = tiny({ initializer: [{ name: "flag", dataType: 9, rawData: Buffer.from([1]) }, ...names.map((name) => floats(name, [1, 2]))],
    node: [...names.slice(0, 3000).map((name) => ({ opType: "If", input: ["flag"], output: [`o${name}`], attribute: [{ name: "then_branch", type: 5, g: body }, { name: "else_branch", type: 5, g: body }] })), relu] });
  for (const bytes of [many, bodies]) assert.not.instance(loadOrRefuse(bytes), UserError);
});

test("a missing file, a folder and a file that is no model name themselves", async () => {
  for (const [path, code] of [[fixturePath("absent.onnx"), "MODEL_FILE"], [fixturePath("."), "MODEL_FILE"], [fixturePath("make.py"), "NOT_ONNX"]] as const) {
    const error: unknown = await loadModel(path).catch((reason: unknown) => reason);
    assert.ok(error instanceof UserError && error.code === code && error.message.includes(path), String(error));
  }
});

test.run();
