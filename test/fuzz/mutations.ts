import onnxProto from "onnx-proto";
import { nodeMutations, type Mutation } from "./node-mutations.ts";
import { below, pick } from "./random.ts";
import { hostileInt, hostileInts, hostileLength, hostileText } from "./values.ts";

type IGraph = onnxProto.onnx.IGraphProto;

/** What is changed, by its name. */
export const mutations: Readonly<Record<string, Mutation>> = {
  ...nodeMutations,
  "element type": (m) => {
    const types = m.graphs
      .flatMap(({ input, output }) => [...(input ?? []), ...(output ?? [])])
      .flatMap(({ type }) => type?.tensorType ?? []);
    const chosen = m.one(m.random() < 0.5 ? types : []);
    const code = below(m.random, 24);
    if (chosen) chosen.elemType = code;
    else {
      const tensor = m.one(m.tensors);
      if (tensor) tensor.dataType = code;
    }
  },
  dimension: (m) => {
    const dim = m.one(m.dims);
    if (dim) {
      delete dim.dimParam;
      dim.dimValue = hostileInt(m.random);
    }
  },
  "symbolic dimension": (m) => {
    const dim = m.one(m.dims);
    if (dim) {
      delete dim.dimValue;
      dim.dimParam = pick(m.random, ["N", "H", "?", "?x:0", "N*4", "", hostileText(m.random)]);
    }
  },
  "rank of a port": (m) => {
    const shape = m.one(
      m.graphs
        .flatMap(({ input, output }) => [...(input ?? []), ...(output ?? [])])
        .flatMap(({ type }) => type?.tensorType?.shape ?? []),
    );
    if (shape)
      shape.dim = Array.from({ length: pick(m.random, [0, 1, 2, 3, 5, 70]) }, () => ({
        dimValue: hostileInt(m.random),
      }));
  },
  "port without shape": (m) => {
    const type = m.one(m.graphs.flatMap(({ input, output }) => [...(input ?? []), ...(output ?? [])]))?.type
      ?.tensorType;
    if (type) delete type.shape;
  },
  "dims of a tensor": (m) => {
    const tensor = m.one(m.tensors);
    if (tensor)
      tensor.dims =
        m.random() < 0.4
          ? [...(tensor.dims ?? [])].reverse()
          : hostileInts(m.random, hostileLength(m.random, tensor.dims?.length ?? 1));
  },
  "flat tensor": (m) => {
    const tensor = m.one(m.tensors);
    if (tensor?.rawData) tensor.dims = [tensor.rawData.length / 4];
  },
  "contents of a tensor": (m) => {
    const raw = m.one(m.tensors.flatMap(({ rawData }) => (rawData?.length ? [rawData] : [])));
    if (raw)
      for (let n = 0; n < 9; n++)
        raw[below(m.random, raw.length)] = pick(m.random, [0, 255, 127, 128, below(m.random, 256)]);
  },
  "small integers of a tensor": (m) => {
    const tensor = m.one(m.tensors.filter(({ dataType, rawData }) => (dataType as number) === 7 && rawData?.length));
    if (tensor) {
      tensor.int64Data = hostileInts(m.random, (tensor.rawData?.length ?? 8) / 8);
      delete tensor.rawData;
    }
  },
  "length of a tensor": (m) => {
    const tensor = m.one(m.tensors);
    if (tensor?.rawData) tensor.rawData = tensor.rawData.subarray(0, below(m.random, tensor.rawData.length + 1));
  },
  "external data": (m) => {
    const tensor = m.one(m.tensors);
    if (!tensor) return;
    delete tensor.rawData;
    tensor.dataLocation = 1;
    tensor.externalData = [
      { key: "location", value: hostileText(m.random) },
      { key: "offset", value: String(hostileInt(m.random)) },
      { key: "length", value: String(hostileInt(m.random)) },
    ];
  },
  "name made twice": (m) => {
    const { output } = m.node();
    if (output?.length) output[0] = m.valueName();
  },
  "name of a node": (m) => {
    m.node().name = m.random() < 0.6 ? (m.node().name ?? "") : hostileText(m.random);
  },
  "name of a value": (m) => {
    const [from, to] = [m.valueName(), hostileText(m.random)];
    const swap = (names: string[] | null | undefined): void =>
      names?.forEach((name, at) => {
        if (name === from) names[at] = to;
      });
    for (const { node } of m.nodes) {
      swap(node.input);
      swap(node.output);
    }
    for (const { input, output, initializer } of m.graphs)
      for (const port of [...(input ?? []), ...(output ?? []), ...(initializer ?? [])])
        if (port.name === from) port.name = to;
  },
  cycle: (m) => {
    const [a, b] = [m.node(), m.node()];
    if (a.input?.length && b.output?.length) a.input[below(m.random, a.input.length)] = b.output[0]!;
  },
  "output of the model": (m) => {
    const { output } = m.graph();
    if (output?.length) output[below(m.random, output.length)]!.name = m.valueName();
  },
  "output listed twice": (m) => {
    const { output } = m.graph();
    if (output?.length) output.push(output[0]!);
  },
  "no outputs": (m) => {
    m.graph().output = [];
  },
  "input of a graph removed": (m) => {
    m.graph().input?.pop();
  },
  "body moved": (m) => {
    const attribute = m.one(m.attributes().filter(({ g }) => g));
    if (attribute) attribute.name = pick(m.random, ["body", "then_branch", "else_branch", "bogus"]);
  },
  "body emptied": (m) => {
    const attribute = m.one(m.attributes().filter(({ g }) => g));
    if (attribute) attribute.g = { name: "empty" };
  },
  "body wrapped": (m) => {
    const chosen = m.one(m.nodes);
    if (!chosen) return;
    const { node } = chosen;
    const copy = onnxProto.onnx.NodeProto.decode(onnxProto.onnx.NodeProto.encode(node).finish());
    const body = (): IGraph => ({
      name: "wrapped",
      node: [copy],
      output: (copy.output ?? []).map((name) => ({ name })),
    });
    Object.assign(node, {
      opType: "If",
      input: [m.valueName()],
      attribute: [
        { name: "then_branch", type: 5, g: body() },
        { name: "else_branch", type: 5, g: body() },
      ],
    });
  },
  "operator set": (m) => {
    m.model.opsetImport = [{ domain: "", version: m.random() < 0.7 ? 7 + below(m.random, 20) : hostileInt(m.random) }];
  },
  "other operator set": (m) => {
    m.model.opsetImport?.push({
      domain: pick(m.random, ["", "ai.onnx", "com.microsoft", "bogus"]),
      version: hostileInt(m.random),
    });
  },
  "IR version": (m) => {
    m.model.irVersion = hostileInt(m.random);
  },
  function: (m) => {
    (m.model.functions ??= []).push({
      name: m.node().opType ?? "F",
      domain: pick(m.random, ["", "bogus"]),
      input: ["a"],
      output: ["b"],
      node: [{ opType: "Identity", input: ["a"], output: ["b"] }],
    });
  },
  "sparse initializer": (m) => {
    (m.graph().sparseInitializer ??= []).push({
      dims: hostileInts(m.random, 2),
      values: { name: m.valueName(), dims: [1], dataType: 1, floatData: [1] },
      indices: { dims: [1], dataType: 7, int64Data: [0] },
    });
  },
  metadata: (m) => {
    (m.model.metadataProps ??= []).push({
      key: pick(m.random, ["names", "imgsz", "task", "stride", "__proto__"]),
      value: pick(m.random, ["", "[1e99, -3]", "{0: 'a', 1: 'b\n'}", "[NaN]", "{", hostileText(m.random)]),
    });
  },
  "node removed": (m) => {
    const { node } = m.graph();
    node?.splice(below(m.random, node.length), 1);
  },
  "node repeated": (m) => {
    const { node } = m.graph();
    if (node?.length) node.push(node[below(m.random, node.length)]!);
  },
  "order of nodes": (m) => {
    m.graph().node?.reverse();
  },
};
