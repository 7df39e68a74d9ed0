import type { DataType } from "../tensor.ts";
import type { Dim, Shape } from "../node.ts";
import { broadcastShapes, refineDim } from "./dim.ts";
import type { ShapeContext, ShapeRule } from "./rule.ts";

/** numpy.matmul: 1-d operands gain a dimension for the product and lose it after. */
const matmulShape = (c: ShapeContext, a: Shape | undefined, b: Shape | undefined): Shape | undefined => {
  if (!a?.length || !b?.length) return undefined;
  const left: Shape = a.length === 1 ? [1, ...a] : a;
  const right: Shape = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastShapes([left.slice(0, -2), right.slice(0, -2)], (axis) => c.unknown(axis));
  if (!batch) return undefined;
  return [...batch, ...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])];
};

const swapLast = (shape: Shape | undefined, swap: boolean): Shape | undefined =>
  swap && shape && shape.length > 1 ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;

const matmulOf = (dtype: (c: ShapeContext) => DataType | undefined, bSlot = 1): ShapeRule => (c) => [{ dtype: dtype(c), shape: matmulShape(c, c.shape(0), c.shape(bSlot)) }];

const gemm: ShapeRule = (c) => {
  const a = swapLast(c.shape(0), c.node.int("transA", 0) !== 0);
  const b = swapLast(c.shape(1), c.node.int("transB", 0) !== 0);
  return [{ dtype: c.dtype(0), shape: a && b && [a[0]!, b[1]!] }];
};

/** Subscripts without "..." only; letters stand for dimensions. */
const einsum: ShapeRule = (c) => {
  const equation = c.node.string("equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const dims = new Map<string, Dim>();
  if (equation.includes("...")) return [{ dtype: c.dtype(0) }];
  for (const [slot, letters] of left.split(",").entries()) {
    const shape = c.shape(slot);
    if (shape?.length !== letters.length) return [{ dtype: c.dtype(0) }];
    for (const [axis, letter] of [...letters].entries()) {
      const known = dims.get(letter);
      const dim = shape[axis]!;
      dims.set(letter, known === undefined || known === 1 ? dim : dim === 1 ? known : refineDim(known, dim));
    }
  }
  const flat = left.replaceAll(",", "");
  const letters = right ?? [...new Set(flat)].filter((letter) => flat.split(letter).length === 2).sort().join("");
  return [{ dtype: c.dtype(0), shape: [...letters].map((letter, axis) => dims.get(letter) ?? c.unknown(axis)) }];
};

export const matrixRules: Readonly<Record<string, ShapeRule>> = {
  MatMul: matmulOf((c) => c.dtype(0)),
  MatMulInteger: matmulOf(() => "int32"),
  QLinearMatMul: matmulOf((c) => c.dtype(7), 3),
  FusedMatMul: (c) => [{ dtype: c.dtype(0), shape: matmulShape(c, swapLast(c.shape(0), c.node.int("transA", 0) !== 0), swapLast(c.shape(1), c.node.int("transB", 0) !== 0)) }],
  Gemm: gemm,
  Einsum: einsum,
};
