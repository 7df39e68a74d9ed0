import protobuf from "protobufjs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { byteLengthOf, onnxDataType, Tensor, type DataType } from "../../graph/tensor.ts";
import { forgetDescriptions } from "../../onnx/beyond.ts";
import { parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { runOnce } from "../../runtime/session.ts";
import { fixturePath, floats, info as valueInfo, tiny } from "./models.ts";

/**
 * Every field of every message of today's ONNX (test/fixtures/onnx/schema.proto), and a field of the future in each, goes through load and
 * save. The model is put together and read by protobufjs from that schema, not by the reader under test.
 */

type Message = Record<string, unknown>;

const root = protobuf.loadSync(fixturePath("schema.proto"));
const typeNamed = (name: string): protobuf.Type => root.lookupType(`onnx.${name}`);
const future = "future";
const addFuture = (holder: protobuf.NamespaceBase): void => {
  for (const each of holder.nestedArray) {
    if (each instanceof protobuf.Type) each.add(new protobuf.Field(future, 1999, "string"));
    if (each instanceof protobuf.Namespace) addFuture(each);
  }
};
addFuture(root);

/** What a complete message of the model itself cannot have: read in another way, refused, or allowed in functions only. There it is filled. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  TensorProto: ["segment", "dataLocation", "externalData", "floatData", "int32Data", "stringData", "int64Data", "doubleData", "uint64Data"],
  AttributeProto: ["refAttrName"],
};

const scalars: Readonly<Record<string, unknown>> = { string: "text", bytes: Buffer.from("bytes"), float: 0.5, double: 0.25, bool: true };

/** `given` with every field that it lacks filled; of a oneof the first, unless one is given. */
const complete = (type: protobuf.Type, given: Message = {}, depth = 0): Message => {
  const message: Message = { ...given };
  for (const field of type.fieldsArray) {
    const { name, resolvedType, partOf } = field.resolve();
    if (message[name] !== undefined || (depth === 0 && leftOut[type.name]?.includes(name)) || partOf?.oneof.some((other) => message[other] !== undefined)) continue;
    if (resolvedType instanceof protobuf.Type && depth >= 4) continue;
    const value = resolvedType instanceof protobuf.Type ? complete(resolvedType, {}, depth + 1)
      : resolvedType ? 1 : (scalars[field.type] ?? field.id);
    message[name] = field.repeated ? [value, value] : value;
  }
  return message;
};

const filled = (type: string, given: Message = {}): Message => complete(typeNamed(type), given);

const bytesOf = (dtype: DataType, count: number): Uint8Array => Uint8Array.from({ length: byteLengthOf(dtype, count) }, (_, at) => 0x11 + (at % 2));
const tensor = (name: string, dtype: DataType): Message => filled("TensorProto", {
  name, dims: [3], dataType: onnxDataType[dtype],
  ...(dtype === "string" ? { stringData: ["a", "b", "c"].map((text) => Buffer.from(text)), rawData: [] } : { rawData: bytesOf(dtype, 3) }),
});

const dims = [{ dimValue: 2 }, { dimParam: "n" }, {}].map((dim, at) => complete(typeNamed("TensorShapeProto.Dimension"), at === 2 ? { denotation: "only" } : dim));
delete dims[2]!["dimValue"];
const tensorType = { elemType: 1, shape: filled("TensorShapeProto", { dim: dims }) };
const types: readonly Message[] = [
  { tensorType: filled("TypeProto.Tensor", tensorType) }, { sequenceType: filled("TypeProto.Sequence", { elemType: { tensorType } }) },
  { mapType: filled("TypeProto.Map", { keyType: 8, valueType: { tensorType } }) }, { optionalType: filled("TypeProto.Optional", { elemType: { tensorType } }) },
  { sparseTensorType: filled("TypeProto.SparseTensor", tensorType) }, { opaqueType: filled("TypeProto.Opaque") },
  { tensorType: { elemType: 99, [future]: "an element type of the future" } },
].map((type) => filled("TypeProto", type));
const info = (name: string, type = types[0]!): Message => filled("ValueInfoProto", { name, type });

const dtypes = Object.keys(onnxDataType) as DataType[];
const body: Message = filled("GraphProto", {
  name: "body", input: [], output: [info("inner")], valueInfo: [], initializer: [], sparseInitializer: [],
  node: [filled("NodeProto", { input: ["x"], output: ["inner"], domain: "org.example", name: "in the body", attribute: [] })],
});
/** One attribute of each type, with the fields of all the other types filled as well. */
const attributes = Array.from({ length: 14 }, (_, at) => at + 1).map((type) => {
  const held = { t: tensor("held", "float32"), tensors: [tensor("first", "int4"), tensor("second", "float16")], s: Buffer.from("s"), strings: [Buffer.from("t")] };
  return filled("AttributeProto", { name: `attribute ${type}`, type, ...held, g: { ...body }, graphs: [{ ...body, ...renamed("g") }, { ...body, ...renamed("h") }] });
});
function renamed(name: string): Message {
  return { output: [info(name)], node: [filled("NodeProto", { input: ["x"], output: [name], domain: "org.example", attribute: [] })] };
}

const whole = filled("ModelProto", {
  irVersion: 14, opsetImport: [{ domain: "", version: 26 }, { domain: "org.example", version: 3 }], metadataProps: [{ key: "a", value: "b" }],
  functions: [filled("FunctionProto", { domain: "org.example", name: "Op" }), filled("FunctionProto", { domain: "org.example", name: "Op", overload: "other" })],
  graph: filled("GraphProto", {
    input: [info("x")], output: types.map((type, at) => info(`output ${at}`, type)), valueInfo: types.map((type, at) => info(`value ${at}`, type)),
    initializer: [...dtypes.map((dtype) => tensor(`of ${dtype}`, dtype)), tensor("dense", "float32"), tensor("scale of an annotation", "float32")],
    sparseInitializer: [],
    node: [filled("NodeProto", {
      domain: "org.example", opType: "Op", attribute: attributes, input: ["x", ...dtypes.map((dtype) => `of ${dtype}`), "dense"],
      deviceConfigurations: [filled("NodeDeviceConfigurationProto"), { shardingSpec: [{ shardedDim: [{ simpleSharding: [{ dimParam: "n" }] }] }] }],
      output: types.flatMap((_, at) => [`output ${at}`, `value ${at}`]),
    })],
  }),
});

const type = typeNamed("ModelProto");
const encoded = (message: Message): Uint8Array => type.encode(type.fromObject(message)).finish();
/** An explicit empty text is no text. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== "").map(([key, held]) => [key, plain(held)]));
};
const readable = (bytes: Uint8Array): Message => plain(type.toObject(type.decode(bytes), { longs: String, bytes: String, enums: Number })) as Message;

test("the model of the test has every field of every message of today's schema", () => {
  const seen = new Set<string>();
  const visit = (of: protobuf.Type, message: Message): void => {
    for (const [name, value] of Object.entries(message)) {
      seen.add(`${of.name}.${name}`);
      const { resolvedType } = of.fields[name]!.resolve();
      if (resolvedType instanceof protobuf.Type) for (const each of [value].flat()) visit(resolvedType, each as Message);
    }
  };
  visit(type, readable(encoded(whole)));
  const all = [...allTypes(root)].flatMap((each) => each.fieldsArray.map(({ name }) => `${each.name}.${name}`));
  assert.equal(all.filter((name) => !seen.has(name)), []);
});

function* allTypes(holder: protobuf.NamespaceBase): Generator<protobuf.Type> {
  for (const each of holder.nestedArray) {
    if (each instanceof protobuf.Type) yield each;
    if (each instanceof protobuf.Namespace) yield* allTypes(each);
  }
}

for (const copied of [false, true]) test(`every field of every message survives load${copied ? ", clone" : ""} and save`, () => {
  const before = encoded(whole);
  const { graph } = parseModel(before);
  const after = serializeModel(copied ? graph.clone() : graph);
  const [was, is] = [readable(before), readable(after)];
  assert.equal(is, was);
  assert.equal(serializeModel(parseModel(after).graph), after);
});

/** Its operands may have any type. */
const custom = { opType: "Custom", domain: "org.example", input: ["x", "w"], output: ["y"] };
const opsetImport = [{ domain: "", version: 17 }, { domain: "org.example", version: 1 }];

/** Elements 0, 1, 2, 3 and 1 as the typed field int32_data holds them and as raw_data does (onnx.helper.make_tensor and numpy_helper of onnx 1.23). */
for (const [dtype, int32Data, rawHex] of [
  ["float8e4m3fn", [0, 1, 2, 3, 1], "0001020301"], ["uint4", [0x10, 0x32, 0x01], "103201"], ["int2", [0xe4, 1], "e401"],
  ["float6e2m3", [0, 1, 2, 3, 1], "40200c01"], ["float6e3m2", [63, 0, 32, 1, 63], "3f00063f"],
] as const) test(`${dtype}: typed data are the same bytes as raw data`, () => {
  const initializer = [{ name: "w", dims: [5], dataType: onnxDataType[dtype], int32Data: [...int32Data] }];
  const { graph } = parseModel(tiny({ initializer, node: [custom] }, { opsetImport }));
  assert.is(Buffer.from(graph.find("w")!.tensor!.bytes).toString("hex"), rawHex);
});

for (const [form, indices, shape] of [["positions", [1, 3], [2]], ["coordinates", [0, 1, 1, 1], [2, 2]]] as const) {
  test(`a sparse initializer (${form}) computes what ONNX Runtime computes from it, and is saved dense`, async () => {
    const sparse = { dims: [2, 2], values: floats("w", [5, -7]), indices: { dims: [...shape], dataType: 7, int64Data: [...indices] } };
    const bytes = tiny({ input: [valueInfo("x", [2, 2])], output: [valueInfo("y", [2, 2])], initializer: [], sparseInitializer: [sparse] });
    const { graph } = parseModel(bytes);
    const feeds = { x: Tensor.float32([2, 2], [1, 2, 3, 8]) };
    assert.equal([...graph.find("w")!.tensor!.floats], [0, 5, 0, -7]);
    for (const model of [bytes, serializeModel(graph)]) assert.equal([...(await runOnce(model, feeds))["y"]!.floats], [1, 7, 3, 1]);
  });
}

test("what describes values by name is forgotten once the graph is cut or quantized; the rest stays", () => {
  const { graph } = parseModel(encoded(whole));
  forgetDescriptions(graph);
  const saved = readable(serializeModel(graph));
  const { node: [first], quantizationAnnotation, initializer, metadataProps } = saved["graph"] as { node: Message[]; initializer: Message[] } & Message;
  assert.equal([saved["trainingInfo"], quantizationAnnotation, first!["deviceConfigurations"]], [undefined, undefined, undefined]);
  assert.not.ok(initializer.some(({ name }) => name === "scale of an annotation"));
  assert.ok(metadataProps && first!["metadataProps"] && saved["functions"]);
});

test.run();
