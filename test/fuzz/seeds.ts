import onnxProto from "onnx-proto";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { serializeModel } from "../../onnx/save.ts";
import { randomModel } from "../helpers/random-models.ts";

/** A valid model of a few nodes that mutations start from. */
export interface SeedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const filled = (shape: readonly number[], from = 0.1): Tensor => {
  const count = shape.reduce((n, dim) => n * dim, 1);
  return Tensor.float32(
    shape,
    Array.from({ length: count }, (_, i) => from + (i % 7) * 0.05),
  );
};

const built = (
  opset: number,
  shape: readonly (number | string)[],
  body: (b: Builder, x: Value) => readonly Value[],
): Uint8Array => {
  const graph = new Graph("seed", opset);
  const x = graph.addInput("images", "float32", shape);
  const outputs = body(new Builder(graph, "n"), x);
  for (const [index, output] of outputs.entries()) output.name = `output${index}`;
  graph.outputs.push(...outputs);
  return serializeModel(graph);
};

/** A backbone and a head whose output is that of a YOLOv8 with two classes. */
const detector = (): Uint8Array =>
  built(17, [1, 3, 64, 64], (b, x) => {
    const conv = (input: Value, out: number, into: number, stride: number): Value =>
      b.op("Conv", [input, b.constant(filled([out, into, 3, 3], -0.1)), b.constant(filled([out]))], {
        kernel_shape: [3, 3],
        strides: [stride, stride],
        pads: [1, 1, 1, 1],
        dilations: [1, 1],
        group: 1,
      });
    const stem = b.silu(conv(conv(x, 8, 3, 4), 8, 8, 2));
    const level = (input: Value): Value => b.reshape(conv(input, 6, 8, 1), [1, 6, -1]);
    const pooled = b.op("MaxPool", [stem], { kernel_shape: [2, 2], strides: [2, 2] });
    const small = b.op("AveragePool", [pooled], { kernel_shape: [2, 2], strides: [2, 2] });
    const joined = b.concat([level(stem), level(pooled), level(small)], 2);
    const [boxes, scores] = b.split(joined, [4, 2], 1);
    return [b.concat([b.mul(boxes!, 8), b.sigmoid(scores!)], 1)];
  });

const attention = (): Uint8Array =>
  built(17, ["N", 3, 16, 16], (b, x) => {
    const tokens = b.transpose(b.reshape(x, [0, 12, 64]), [0, 2, 1]);
    const normed = b.op("LayerNormalization", [tokens, b.constant(filled([12])), b.constant(filled([12]))], {
      axis: -1,
      epsilon: 1e-5,
    });
    const project = (): Value => b.add(b.matmul(normed, b.constant(filled([12, 12], -0.2))), b.constant(filled([12])));
    const scores = b.op("Softmax", [b.div(b.matmul(project(), b.transpose(project(), [0, 2, 1])), 3.46)], { axis: -1 });
    const mixed = b.add(tokens, b.matmul(scores, project()));
    const shape = b.op("Shape", [x]);
    const batch = b.op("Gather", [shape, b.int64s([0])], { axis: 0 });
    const target = b.concat([batch, b.int64s([-1])], 0);
    const pooled = b.op("ReduceMean", [b.op("Reshape", [mixed, target])], { axes: [1], keepdims: 1 });
    return [
      b.op("Gemm", [pooled, b.constant(filled([5, 1])), b.constant(filled([5]))], { transB: 1, alpha: 1, beta: 1 }),
      mixed,
    ];
  });

const quantized = (): Uint8Array =>
  built(17, [1, 3, 16, 16], (b, x) => {
    const scale = b.scalar(0.02);
    const zero = b.constant(Tensor.from("int8", [], [0]));
    const fake = (value: Value): Value =>
      b.op("DequantizeLinear", [b.op("QuantizeLinear", [value, scale, zero]), scale, zero]);
    const bytes = b.constant(
      Tensor.from(
        "int8",
        [8, 3, 3, 3],
        Array.from({ length: 216 }, (_, i) => (i % 17) - 8),
      ),
    );
    const weight = b.op(
      "DequantizeLinear",
      [bytes, b.constant(filled([8])), b.constant(Tensor.from("int8", [8], new Array<number>(8).fill(0)))],
      { axis: 0 },
    );
    const y = b.op("Conv", [fake(x), weight, b.constant(filled([8]))], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    return [fake(b.op("Relu", [fake(y)]))];
  });

const layouts = (): Uint8Array =>
  built(18, [1, 3, 16, 16], (b, x) => {
    const space = b.op("SpaceToDepth", [x], { blocksize: 2 });
    const up = b.op("Resize", [space, null, b.constant(Tensor.float32([4], [1, 1, 2, 2]))], {
      mode: "nearest",
      nearest_mode: "floor",
      coordinate_transformation_mode: "asymmetric",
    });
    const transposed = b.op("ConvTranspose", [up, b.constant(filled([12, 4, 2, 2]))], {
      kernel_shape: [2, 2],
      strides: [2, 2],
    });
    const padded = b.op("Pad", [transposed, b.int64s([0, 0, 1, 1, 0, 0, 1, 1])]);
    const normed = b.op("BatchNormalization", [padded, ...[1, 2, 3, 4].map(() => b.constant(filled([4])))], {
      epsilon: 1e-3,
    });
    const cut = b.slice(normed, [0, 0], [32, 32], [2, 3]);
    const flat = b.op("Flatten", [b.op("DepthToSpace", [cut], { blocksize: 2, mode: "CRD" })], { axis: 1 });
    const top = b.ops("TopK", [flat, b.int64s([5])], 2, { axis: -1, largest: 1, sorted: 1 });
    const many = b.op("Tile", [b.op("Unsqueeze", [top[0]!, b.int64s([0])]), b.int64s([1, 1, 2])]);
    const range = b.op("Range", [b.scalar(0), b.scalar(10), b.scalar(1)]);
    const ones = b.op("ConstantOfShape", [b.int64s([1, 1, 10])], { value: Tensor.float32([1], [1]) });
    return [
      b.add(b.mul(many, range), b.op("Expand", [ones, b.int64s([1, 1, 10])])),
      b.op("Einsum", [b.op("Cast", [top[1]!], { to: 1 })], { equation: "ij->ji" }),
    ];
  });

const { ModelProto, TensorProto } = onnxProto.onnx;
const bool = 9;

const port = (name: string, elemType: number, dims: readonly (number | string)[]): onnxProto.onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});

/** An If in a Loop, and a node in each body that reads a value of the graph around it. */
const bodies = (): Uint8Array => {
  const branch = (opType: string): onnxProto.onnx.IGraphProto => ({
    name: opType,
    node: [{ opType, input: ["state"], output: ["made"] }],
    output: [port("made", 1, ["N", 4])],
  });
  const loop: onnxProto.onnx.IGraphProto = {
    name: "loop",
    input: [port("i", 7, []), port("go", bool, []), port("state", 1, ["N", 4])],
    output: [port("on", bool, []), port("next", 1, ["N", 4])],
    node: [
      { opType: "Identity", input: ["go"], output: ["on"] },
      {
        opType: "If",
        name: "choose",
        input: ["flag"],
        output: ["chosen"],
        attribute: [
          { name: "then_branch", type: 5, g: branch("Relu") },
          { name: "else_branch", type: 5, g: branch("Neg") },
        ],
      },
      { opType: "Add", name: "add", input: ["chosen", "w"], output: ["next"] },
    ],
  };
  return ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    producerName: "seed",
    graph: {
      name: "bodies",
      input: [port("images", 1, ["N", 4])],
      output: [port("y", 1, ["N", 4])],
      initializer: [
        { name: "times", dataType: TensorProto.DataType.INT64, dims: [], int64Data: [3] },
        { name: "flag", dataType: bool, dims: [], int32Data: [1] },
        { name: "w", dataType: 1, dims: [4], floatData: [1, 2, 3, 4] },
      ],
      node: [
        {
          opType: "Loop",
          name: "loop",
          input: ["times", "", "images"],
          output: ["y"],
          attribute: [{ name: "body", type: 5, g: loop }],
        },
      ],
    },
  }).finish();
};

/** Valid models of several families: detector, attention, Q/DQ, layout ops, bodies, and the generator's blocks of detectors at several opsets. */
export const seedModels = (): readonly SeedModel[] => [
  { name: "detector", bytes: detector() },
  { name: "attention", bytes: attention() },
  { name: "quantized", bytes: quantized() },
  { name: "layouts", bytes: layouts() },
  { name: "bodies", bytes: bodies() },
  ...Array.from({ length: 20 }, (_, seed) => ({
    name: `random ${seed}`,
    bytes: serializeModel(randomModel(seed).graph),
  })),
];
