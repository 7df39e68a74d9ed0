import onnxProto from "onnx-proto";

type IGraph = onnxProto.onnx.IGraphProto;
type INode = onnxProto.onnx.INodeProto;

const port = (
  name: string,
  dims: readonly (number | string)[] = [1, 3, 8, 8],
  elemType = 1,
): onnxProto.onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});

const model = (graph: IGraph): Uint8Array =>
  onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: { name: "large", input: [port("x")], ...graph },
  }).finish();

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** v<index - back>, or the input before the first. */
const before = (index: number, back = 1): string => (index < back ? "x" : `v${index - back}`);

/** `count` nodes, each reading the one before it. */
const chain = (
  count: number,
  more: (index: number) => Partial<INode> & { readonly opType: string },
  reads: readonly string[] = [],
): INode[] =>
  many(count, (index) => ({
    name: `n${index}`,
    input: [before(index), ...reads],
    output: [`v${index}`],
    ...more(index),
  }));

const axis = { name: "axis", type: 2, i: 1 };
const perm = { name: "perm", type: 7, ints: [0, 1, 3, 2] };
const one = { name: "one", dataType: 7, dims: [1], int64Data: [1] };

const branches = (then: IGraph, otherwise: IGraph): onnxProto.onnx.IAttributeProto[] => [
  { name: "then_branch", type: 5, g: then },
  { name: "else_branch", type: 5, g: otherwise },
];

const leaf = (reads: string): IGraph => ({
  name: "leaf",
  node: [{ opType: "Relu", input: [reads], output: ["made"] }],
  output: [{ name: "made" }],
});

/** An If in an If, `depth` levels. */
const nested = (depth: number): Uint8Array => {
  let body = leaf("x");
  for (let level = 0; level < depth; level++) {
    body = {
      name: "body",
      node: [{ opType: "If", input: ["c"], output: ["made"], attribute: branches(body, leaf("x")) }],
      output: [{ name: "made" }],
    };
  }
  return model({ ...body, input: [port("x"), port("c", [], 9)] });
};

const shapeArithmetic = (count: number, batch: number | string): Uint8Array =>
  model({
    input: [port("x", [batch, 3, 8, 8])],
    initializer: [one],
    output: [{ name: "y" }],
    node: [
      { opType: "Shape", input: ["x"], output: ["s0"] },
      ...many(count, (index) => ({
        opType: ["Mul", "Div", "Add", "Sub"][index % 4]!,
        name: `n${index}`,
        input: [`s${index}`, "one"],
        output: [`s${index + 1}`],
      })),
      { opType: "Reshape", input: ["x", `s${count}`], output: ["y"] },
    ],
  });

/** Models that are large in one way each, by what is large. */
export const largeModels: Readonly<Record<string, () => Uint8Array>> = {
  "100,000 nodes in a chain": () =>
    model({ output: [{ name: "v99999" }], node: chain(100_000, () => ({ opType: "Relu" })) }),
  "100,000 nodes in a chain, last first": () =>
    model({ output: [{ name: "v99999" }], node: chain(100_000, () => ({ opType: "Relu" })).reverse() }),
  "100,000 nodes that change nothing": () =>
    model({ output: [{ name: "v99999" }], node: chain(100_000, () => ({ opType: "Identity" })) }),
  "60,000 inputs of one Concat": () =>
    model({
      output: [{ name: "y" }],
      node: [{ opType: "Concat", input: many(60_000, () => "x"), output: ["y"], attribute: [axis] }],
    }),
  "60,000 inputs of one Sum": () =>
    model({ output: [{ name: "y" }], node: [{ opType: "Sum", input: many(60_000, () => "x"), output: ["y"] }] }),
  "60,000 nodes into one Concat": () =>
    model({
      output: [{ name: "y" }],
      node: [
        ...many(60_000, (index) => ({ opType: "Relu", input: ["x"], output: [`v${index}`] })),
        { opType: "Concat", input: many(60_000, (index) => `v${index}`), output: ["y"], attribute: [axis] },
      ],
    }),
  "100,000 consumers of one value": () =>
    model({
      output: [{ name: "y" }],
      node: [
        { opType: "Relu", input: ["x"], output: ["r"] },
        ...many(100_000, (index) => ({ opType: "Neg", name: `n${index}`, input: ["r"], output: [`v${index}`] })),
        { opType: "Sigmoid", input: ["v5"], output: ["y"] },
      ],
    }),
  "5,000 shape computations in a chain": () => shapeArithmetic(5000, 1),
  "5,000 shape computations of a free batch": () => shapeArithmetic(5000, "N"),
  "50,000 outputs": () =>
    model({
      output: many(50_000, (index) => ({ name: `v${index}` })),
      node: many(50_000, (index) => ({ opType: "Neg", name: `n${index}`, input: ["x"], output: [`v${index}`] })),
    }),
  "50,000 inputs": () =>
    model({
      input: [port("x"), ...many(50_000, (index) => port(`i${index}`, [1]))],
      output: [{ name: "y" }],
      node: [{ opType: "Relu", input: ["x"], output: ["y"] }],
    }),
  "50,000 initializers": () =>
    model({
      output: [{ name: "v49999" }],
      initializer: many(50_000, (index) => ({ name: `w${index}`, dataType: 1, dims: [1], floatData: [index] })),
      node: many(50_000, (index) => ({
        opType: "Add",
        name: `n${index}`,
        input: [before(index), `w${index}`],
        output: [`v${index}`],
      })),
    }),
  "10,000 convolutions": () =>
    model({
      output: [{ name: "v9999" }],
      initializer: [{ name: "w", dataType: 1, dims: [3, 3, 1, 1], floatData: [1, 0, 0, 0, 1, 0, 0, 0, 1] }],
      node: chain(10_000, () => ({ opType: "Conv" }), ["w"]),
    }),
  "20,000 transposes in a chain": () =>
    model({ output: [{ name: "v19999" }], node: chain(20_000, () => ({ opType: "Transpose", attribute: [perm] })) }),
  "30,000 residual sums": () =>
    model({
      output: [{ name: "v29999" }],
      node: many(30_000, (index) => ({
        opType: "Add",
        name: `n${index}`,
        input: [before(index), before(index, 2)],
        output: [`v${index}`],
      })),
    }),
  "3,000 bodies in a chain": () =>
    model({
      input: [port("x"), port("c", [], 9)],
      output: [{ name: "v2999" }],
      node: many(3000, (index) => ({
        opType: "If",
        name: `n${index}`,
        input: ["c"],
        output: [`v${index}`],
        attribute: branches(leaf(before(index)), leaf(before(index))),
      })),
    }),
  "20 bodies in each other": () => nested(20),
  "1,000 bodies in each other": () => nested(1000),
};
