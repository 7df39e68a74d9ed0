import type { Dim, Shape } from "../node.ts";

/** Longer expressions than this become an unknown dimension. */
const longestExpression = 80;

export const isUnknown = (dim: Dim): boolean => typeof dim === "string" && dim.startsWith("?");

/** An atom may stand in a product or quotient without brackets. */
const atom = (dim: Dim): string => (typeof dim === "number" || /^[\w?:/.]+$/.test(dim) ? String(dim) : `(${dim})`);

const expression = (text: string, unknown: Dim): Dim => (text.length > longestExpression || text.includes("?") ? unknown : text);

/** `N*4` -> N and 4; 1 for anything that does not end in a factor. */
const factored = (dim: Dim): readonly [Dim, number] => {
  const found = typeof dim === "string" ? /^([\w:/.]+|\([^()]*\))\*(\d+)$/.exec(dim) : null;
  return found ? [found[1]!.replace(/^\(([^()]*)\)$/, "$1"), Number(found[2])] : [dim, 1];
};

/** a + b, symbolic where a side is; `unknown` where the expression would be too long. */
export const addDims = (a: Dim, b: Dim, unknown: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  return typeof b === "number" && b < 0 ? expression(`${atom(a)} - ${-b}`, unknown) : expression(`${atom(a)} + ${atom(b)}`, unknown);
};

export const subtractDims = (a: Dim, b: Dim, unknown: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a === b) return 0;
  if (b === 0) return a;
  return expression(`${atom(a)} - ${atom(b)}`, unknown);
};

export const multiplyDims = (a: Dim, b: Dim, unknown: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  if (a === 0 || b === 0) return 0;
  const [whole, factor] = factored(a);
  if (factor !== 1 && typeof b === "number") return multiplyDims(whole, factor * b, unknown);
  return typeof a === "number" ? expression(`${atom(b)}*${a}`, unknown) : expression(`${atom(a)}*${atom(b)}`, unknown);
};

/** floor(a / b) for a >= 0 and b > 0. */
export const divideDims = (a: Dim, b: Dim, unknown: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return b === 0 ? unknown : Math.floor(a / b);
  if (a === b) return 1;
  if (b === 1) return a;
  if (typeof a === "string" && a.endsWith(`*${atom(b)}`)) return a.slice(0, -`*${atom(b)}`.length).replace(/^\(([^()]*)\)$/, "$1");
  const [whole, factor] = factored(a);
  if (typeof b === "number" && factor % b === 0) return multiplyDims(whole, factor / b, unknown);
  return expression(`floor(${atom(a)}/${atom(b)})`, unknown);
};

/** Product of all dims, numbers collected last: `N*C*64`. */
export const productOf = (dims: readonly Dim[], unknown: Dim): Dim => {
  const numbers = dims.filter((dim) => typeof dim === "number");
  const names = dims.filter((dim) => typeof dim === "string");
  const constant = numbers.reduce((product, dim) => product * dim, 1);
  if (constant === 0) return 0;
  return [...names, constant].reduce<Dim>((product, dim) => multiplyDims(product, dim, unknown), 1);
};

/** product(all) / product(divisors): common symbols cancel first. */
export const quotientOf = (all: readonly Dim[], divisors: readonly Dim[], unknown: Dim): Dim => {
  const left = [...all];
  const rest: Dim[] = [];
  for (const divisor of divisors) {
    const at = left.indexOf(divisor);
    if (at >= 0) left.splice(at, 1);
    else rest.push(divisor);
  }
  const names = left.filter((dim) => typeof dim === "string");
  const above = left.filter((dim) => typeof dim === "number").reduce((product, dim) => product * dim, 1);
  const below = rest.filter((dim) => typeof dim === "number").reduce((product, dim) => product * dim, 1);
  const stray = rest.some((dim) => typeof dim === "string");
  if (!stray && below !== 0 && above % below === 0) return productOf([...names, above / below], unknown);
  return divideDims(productOf(left, unknown), productOf(rest, unknown), unknown);
};

/** One dimension of a numpy-style broadcast; undefined if the two cannot meet. */
const broadcastDim = (a: Dim, b: Dim, unknown: Dim): Dim | undefined => {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number") return typeof b === "number" ? undefined : a;
  return typeof b === "number" ? b : unknown;
};

/** Numpy-style broadcast of all shapes (ONNX Broadcasting.md); undefined if one is unknown or they do not fit. */
export const broadcastShapes = (shapes: readonly (Shape | undefined)[], unknown: (axis: number) => Dim): Shape | undefined => {
  let result: Shape | undefined = [];
  for (const [index, shape] of shapes.entries()) {
    if (!shape) return undefined;
    result = index === 0 ? shape : broadcastTwo(result, shape, unknown);
    if (!result) return undefined;
  }
  return result;
};

/** Most shapes that meet are equal: nothing is made anew for those. */
const broadcastTwo = (a: Shape, b: Shape, unknown: (axis: number) => Dim): Shape | undefined => {
  if (a.length === b.length && a.every((dim, axis) => dim === b[axis])) return a;
  const rank = Math.max(a.length, b.length);
  const joined: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    const dim = left === right ? left : broadcastDim(left, right, unknown(axis));
    if (dim === undefined) return undefined;
    joined.push(dim);
  }
  return joined;
};

/** The better known of two equal dimensions: a number, then a name, then an unknown. */
export const refineDim = (a: Dim, b: Dim): Dim => {
  if (typeof a === "number") return a;
  if (typeof b === "number") return b;
  return isUnknown(a) ? b : a;
};
