import type { DataType } from "../tensor.ts";
import type { Dim, Node, Shape } from "../node.ts";
import { partialValue, type Memo } from "./values.ts";

/** Type of one output; an absent part is not known. */
export interface ValueType {
  readonly dtype?: DataType | undefined;
  readonly shape?: Shape | undefined;
}

/** Types of the outputs of the node, in order; a rule never guesses. */
export type ShapeRule = (c: ShapeContext) => readonly (ValueType | undefined)[];

/** What a rule may ask about its node. */
export class ShapeContext {
  readonly node: Node;
  /** Version of ai.onnx. */
  readonly opset: number;
  /** Small values already looked at. */
  readonly memo: Memo;
  /** Shapes that stand in the place of those of the inputs, by slot. */
  #shapes: Map<number, Shape | undefined> | undefined;
  #blind = false;

  constructor(node: Node, opset: number, memo: Memo = new Map()) {
    this.node = node;
    this.opset = opset;
    this.memo = memo;
  }

  shape(slot: number): Shape | undefined {
    if (this.#blind) return undefined;
    return this.#shapes?.has(slot) ? this.#shapes.get(slot) : this.node.optionalIn(slot)?.shape;
  }

  /** The same node, of whose inputs nothing is known: a rule sees its attributes alone. */
  attributesAlone(): ShapeContext {
    const copy = new ShapeContext(this.node, this.opset, this.memo);
    copy.#blind = true;
    return copy;
  }

  /** The same node, with another shape of input `slot`. */
  withShape(slot: number, shape: Shape | undefined): ShapeContext {
    const copy = new ShapeContext(this.node, this.opset, this.memo);
    copy.#shapes = new Map([[slot, shape]]);
    return copy;
  }

  dtype(slot: number): DataType | undefined {
    return this.node.optionalIn(slot)?.dtype;
  }

  has(slot: number): boolean {
    return this.node.optionalIn(slot) !== undefined;
  }

  /** Elements of a small integer or float input as far as they are known; symbolic elements are dimension names. */
  values(slot: number): readonly Dim[] | undefined {
    const value = this.#blind ? undefined : this.node.optionalIn(slot);
    return value && partialValue(value, this.memo)?.elements;
  }

  /** Elements of a small input, all of them known. */
  numbers(slot: number): readonly number[] | undefined {
    const values = this.values(slot);
    return values?.every((value) => typeof value === "number") ? (values) : undefined;
  }

  /** Numbers that are an attribute in older opsets and an input in newer ones. */
  attributeOrInput(name: string, slot: number): { readonly given: boolean; readonly numbers: readonly number[] | undefined } {
    const ints = this.node.ints(name);
    if (ints) return { given: true, numbers: ints };
    return this.has(slot) ? { given: true, numbers: this.numbers(slot) } : { given: false, numbers: undefined };
  }

  /** The name of a dimension that nothing tells. */
  unknown(axis: number, output = 0): Dim {
    return `?${this.node.outputs[output]?.name ?? this.node.name}:${axis}`;
  }
}

/** `axis` counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
