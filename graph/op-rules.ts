import type { Node } from "./node.ts";
import type { ShapeContext, ValueType } from "./shapes/rule.ts";
export const checkOperands = (_c: ShapeContext): void => {};
export const checkSizes = (_node: Node, _types: readonly (ValueType | undefined)[]): void => {};
