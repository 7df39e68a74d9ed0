import type { AttributeInput } from "./attribute.ts";
import type { Graph } from "./graph.ts";
import type { Value } from "./node.ts";
import { inferNode } from "./shapes.ts";
import { onnxDataType, Tensor, type DataType } from "./tensor.ts";

export type Attributes = Readonly<Record<string, AttributeInput | undefined>>;
/** A value, or numbers that become a float32 (scalar) constant. */
export type Operand = Value | number;

/**
 * Adds ai.onnx nodes to a graph and infers type and shape of each as it goes.
 * Emits opset 17 signatures (18 where the graph's opset says so); equal small constants are shared.
 */
export class Builder {
  readonly graph: Graph;
  /** Prefix of the names of new values and nodes, e.g. "grad". */
  readonly prefix: string;
  readonly #constants = new Map<string, Value>();

  constructor(graph: Graph, prefix = "v") {
    this.graph = graph;
    this.prefix = prefix;
  }

  /** One node with one output. */
  op(opType: string, inputs: readonly (Operand | null)[], attributes: Attributes = {}): Value {
    return this.ops(opType, inputs, 1, attributes)[0]!;
  }

  /** One node with `outputCount` outputs. */
  ops(opType: string, inputs: readonly (Operand | null)[], outputCount: number, attributes: Attributes = {}): readonly Value[] {
    const like = inputs.find((input): input is Value => input !== null && typeof input !== "number");
    const name = this.graph.freshName(`${this.prefix}/${opType}`);
    const node = this.graph.addNode({
      opType,
      name,
      inputs: inputs.map((input) => (typeof input === "number" ? this.scalar(input, like?.dtype ?? "float32") : input)),
      outputs: Array.from({ length: outputCount }, (_, index) => (outputCount === 1 ? name : `${name}:${index}`)),
      attributes: Object.fromEntries(Object.entries(attributes).filter((entry): entry is [string, AttributeInput] => entry[1] !== undefined)),
    });
    inferNode(node, this.graph.opset);
    return node.outputs;
  }

  /** An initializer that holds `tensor`. */
  constant(tensor: Tensor, name = this.graph.freshName(`${this.prefix}/const`)): Value {
    if (tensor.size > 64) return this.graph.addInitializer(name, tensor);
    const key = `${tensor.dtype}[${tensor.shape.join()}]${Buffer.from(tensor.bytes).toString("base64")}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const value = this.graph.addInitializer(name, tensor);
    this.#constants.set(key, value);
    return value;
  }

  /** A 0-d constant; numeric dtypes only. */
  scalar(value: number, dtype: DataType = "float32"): Value {
    return this.constant(Tensor.from(dtype, [], [value]));
  }

  /** A 1-d int64 constant (shapes, axes, pads). */
  int64s(values: readonly (number | bigint)[]): Value {
    return this.constant(Tensor.int64([values.length], values));
  }

  add(a: Operand, b: Operand): Value { return this.op("Add", [a, b]); }
  sub(a: Operand, b: Operand): Value { return this.op("Sub", [a, b]); }
  mul(a: Operand, b: Operand): Value { return this.op("Mul", [a, b]); }
  div(a: Operand, b: Operand): Value { return this.op("Div", [a, b]); }
  pow(a: Operand, b: Operand): Value { return this.op("Pow", [a, b]); }
  max(a: Operand, b: Operand): Value { return this.op("Max", [a, b]); }
  min(a: Operand, b: Operand): Value { return this.op("Min", [a, b]); }
  neg(a: Value): Value { return this.op("Neg", [a]); }
  exp(a: Value): Value { return this.op("Exp", [a]); }
  log(a: Value): Value { return this.op("Log", [a]); }
  sqrt(a: Value): Value { return this.op("Sqrt", [a]); }
  sigmoid(a: Value): Value { return this.op("Sigmoid", [a]); }
  softplus(a: Value): Value { return this.op("Softplus", [a]); }
  abs(a: Value): Value { return this.op("Abs", [a]); }
  greater(a: Operand, b: Operand): Value { return this.op("Greater", [a, b]); }
  less(a: Operand, b: Operand): Value { return this.op("Less", [a, b]); }
  equal(a: Operand, b: Operand): Value { return this.op("Equal", [a, b]); }
  where(condition: Value, a: Operand, b: Operand): Value {
    const like = typeof a === "number" ? b : a;
    const dtype = typeof like === "number" ? "float32" : (like.dtype ?? "float32");
    const operand = (x: Operand): Value => (typeof x === "number" ? this.scalar(x, dtype) : x);
    return this.op("Where", [condition, operand(a), operand(b)]);
  }
  matmul(a: Value, b: Value): Value { return this.op("MatMul", [a, b]); }
  cast(a: Value, dtype: DataType): Value { return this.op("Cast", [a], { to: onnxDataType[dtype] }); }
  transpose(a: Value, perm: readonly number[]): Value { return this.op("Transpose", [a], { perm }); }
  reshape(a: Value, shape: readonly number[] | Value): Value {
    return this.op("Reshape", [a, "uses" in shape ? shape : this.int64s(shape)]);
  }
  /** The shape of `a` at run time, as a 1-d int64 value; a constant where it is static. */
  shapeOf(a: Value): Value {
    return a.staticShape ? this.int64s(a.staticShape) : this.op("Shape", [a]);
  }
  reshapeLike(a: Value, like: Value): Value { return this.op("Reshape", [a, this.shapeOf(like)]); }
  expandLike(a: Value, like: Value): Value { return this.op("Expand", [a, this.shapeOf(like)]); }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0]! : this.op("Concat", values, { axis });
  }
  split(a: Value, sizes: readonly number[], axis: number): readonly Value[] {
    return sizes.length === 1 ? [a] : this.ops("Split", [a, this.int64s(sizes)], sizes.length, { axis });
  }
  /** Slice with the same bounds on each named axis; see ONNX Slice for negative and clamped bounds. */
  slice(a: Value, starts: readonly number[], ends: readonly number[], axes: readonly number[], steps?: readonly number[]): Value {
    return this.op("Slice", [a, this.int64s(starts), this.int64s(ends), this.int64s(axes), ...(steps ? [this.int64s(steps)] : [])]);
  }
  unsqueeze(a: Value, axes: readonly number[]): Value { return this.op("Unsqueeze", [a, this.int64s(axes)]); }
  squeeze(a: Value, axes: readonly number[]): Value { return this.op("Squeeze", [a, this.int64s(axes)]); }
  /** ReduceSum/Mean/Max/…; `axes` undefined reduces all. Axes are an input or an attribute, as the opset has it. */
  reduce(opType: "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceSumSquare" | "ReduceL2", a: Value, axes?: readonly number[], keepdims = true): Value {
    const asInput = opType === "ReduceSum" || this.graph.opset >= 18;
    const inputs = asInput && axes ? [a, this.int64s(axes)] : [a];
    return this.op(opType, inputs, { keepdims: Number(keepdims), axes: asInput ? undefined : axes });
  }
  sum(a: Value, axes?: readonly number[], keepdims = true): Value { return this.reduce("ReduceSum", a, axes, keepdims); }
  mean(a: Value, axes?: readonly number[], keepdims = true): Value { return this.reduce("ReduceMean", a, axes, keepdims); }
  /** A constant filled with `fill`. */
  full(shape: readonly number[], fill: number, dtype: DataType = "float32"): Value {
    return this.constant(Tensor.from(dtype, shape, new Array<number>(shape.reduce((n, d) => n * d, 1)).fill(fill)));
  }
  /** x·sigmoid(x). */
  silu(a: Value): Value { return this.mul(a, this.sigmoid(a)); }
}
