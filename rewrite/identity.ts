import type { Node, Value } from "../graph/node.ts";
import { dataTypeOf } from "../graph/tensor.ts";
import { rewritePass, rule, type Rule } from "./rule.ts";

const sameShape = (a: Value, b: Value): boolean =>
  a.shape !== undefined && b.shape?.length === a.shape.length && a.shape.every((dim, axis) => dim === b.shape![axis] && !String(dim).startsWith("?"));

const isFilled = (value: Value | undefined, fill: number): boolean => value?.constant?.size === 1 && value.constant.toNumbers()[0] === fill;

/** Whether output 0 is input 0, element for element and in the same order. */
type IsNoOp = (node: Node) => boolean;

const sameOutputShape: IsNoOp = (node) => sameShape(node.in(0), node.out());
/** x·1, x+0 and the like, where the constant broadcasts into x and not x into it. */
const neutral = (fill: number, either: boolean): IsNoOp => (node) => isFilled(node.optionalIn(1), fill) && sameOutputShape(node) || (either && isFilled(node.optionalIn(0), fill) && sameShape(node.in(1), node.out()));
const keptSlot = (node: Node): number => ((node.opType === "Add" || node.opType === "Mul") && sameShape(node.in(1), node.out()) && isFilled(node.optionalIn(0), node.opType === "Mul" ? 1 : 0) ? 1 : 0);

const noOps: Readonly<Record<string, IsNoOp>> = {
  Identity: () => true,
  Dropout: (node) => !isRead(node.outputs[1]) && !isTraining(node),
  Cast: (node) => node.in(0).dtype !== undefined && dataTypeOf(node.int("to", 0)) === node.in(0).dtype,
  Reshape: sameOutputShape, Flatten: sameOutputShape, Squeeze: sameOutputShape, Unsqueeze: sameOutputShape, Expand: sameOutputShape,
  Transpose: (node) => node.ints("perm")?.every((from, to) => from === to) ?? false,
  Concat: (node) => node.inputs.length === 1,
  Split: (node) => node.outputs.length === 1,
  Sum: (node) => node.inputs.length === 1, Max: (node) => node.inputs.length === 1, Min: (node) => node.inputs.length === 1, Mean: (node) => node.inputs.length === 1,
  Pad: (node) => (node.ints("pads") ?? node.optionalIn(1)?.constant?.toNumbers())?.every((pad) => pad === 0) ?? false,
  Slice: (node) => sameOutputShape(node) && node.in(0).staticShape !== undefined && (node.optionalIn(4)?.constant?.toNumbers() ?? (node.optionalIn(4) ? [0] : [1])).every((step) => step === 1),
  Add: neutral(0, true), Sub: neutral(0, false), Mul: neutral(1, true), Div: neutral(1, false),
};

const isRead = (value: Value | undefined): boolean => (value?.uses.size ?? 0) > 0;
const isTraining = (node: Node): boolean => node.optionalIn(2) !== undefined && !isFilled(node.optionalIn(2), 0);

/** Nodes whose output is their input. Needs shapes (graph/shapes.ts) to see that a Reshape or Slice changes nothing. */
export const identityRule: Rule = rule({
  name: "remove-identity",
  match: (node) => (node.domain === "" && Object.hasOwn(noOps, node.opType) && noOps[node.opType]!(node) ? node : undefined),
  replace: (_b, node) => [node.in(keptSlot(node))],
});

/** Two Transposes in a row are one. */
export const mergeTransposes: Rule = rule({
  name: "merge-transposes",
  match: (node) => {
    const inner = node.opType === "Transpose" ? node.in(0).producer : null;
    const [outer, first] = [node.ints("perm"), inner?.opType === "Transpose" ? inner.ints("perm") : undefined];
    return inner && outer && first ? { inner, perm: outer.map((axis) => first[axis]!) } : undefined;
  },
  replace: (b, { inner, perm }) => [b.transpose(inner.in(0), perm)],
});

/** Removes Identity, inference Dropout and every Cast, Reshape, Transpose, Slice, Add… that changes nothing. */
export const removeIdentities = rewritePass("remove-identities", [identityRule, mergeTransposes]);
