import type { Attribute } from "./attribute.ts";
import { constantTensor } from "./constant.ts";
import type { DataType, Tensor } from "./tensor.ts";

/** A dimension: a size, or the name of a symbolic one (`N`); an unknown one has a name starting with `?`. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Input `slot` of `node` reads the value. */
export interface Use {
  readonly node: Node;
  readonly slot: number;
}

/** An edge of the graph: made by one node (or none: graph input, initializer), read by any number. Identity is the object; the name is a label. */
export class Value {
  name: string;
  dtype: DataType | undefined;
  shape: Shape | undefined;
  /** The contents of an initializer. */
  tensor: Tensor | undefined;
  readonly producer: Node | null;
  readonly uses: ReadonlySet<Use> = new Set();

  constructor(name: string, type: { dtype?: DataType | undefined; shape?: Shape | undefined; tensor?: Tensor | undefined } = {}, producer: Node | null = null) {
    this.name = name;
    this.dtype = type.dtype ?? type.tensor?.dtype;
    this.shape = type.shape ?? type.tensor?.shape;
    this.tensor = type.tensor;
    this.producer = producer;
  }

  /** The shape when every dimension is a number; else undefined. */
  get staticShape(): readonly number[] | undefined {
    return this.shape?.every((dim) => typeof dim === "number") ? (this.shape) : undefined;
  }

  /** Contents of an initializer or of a Constant node; undefined for anything computed. */
  get constant(): Tensor | undefined {
    if (this.tensor) return this.tensor;
    if (this.producer?.opType !== "Constant" || this.producer.domain !== "") return undefined;
    return constantTensor(this.producer.attributes);
  }

  /** The nodes that read the value, each once. */
  get readers(): Node[] {
    return [...new Set([...this.uses].map((use) => use.node))];
  }
}

const mutableUses = (value: Value): Set<Use> => value.uses as Set<Use>;

interface AttributeValues {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
}

export interface NodeInit {
  readonly opType: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly (Value | null)[];
  /** Names of the outputs; an empty name is an output that the node leaves out. */
  readonly outputs: readonly string[];
  readonly attributes?: ReadonlyMap<string, Attribute>;
  readonly doc?: string;
}

/** One operation. Owns its outputs; the only writer of `Value.uses`. */
export class Node {
  readonly opType: string;
  /** Operator set; "" is ai.onnx. */
  readonly domain: string;
  name: string;
  doc: string;
  readonly attributes: Map<string, Attribute>;
  readonly outputs: readonly Value[];
  readonly #inputs: (Value | null)[] = [];
  readonly #uses: (Use | null)[] = [];

  constructor(init: NodeInit) {
    this.opType = init.opType;
    this.domain = init.domain ?? "";
    this.name = init.name ?? "";
    this.doc = init.doc ?? "";
    this.attributes = new Map(init.attributes);
    this.outputs = init.outputs.map((name) => new Value(name, {}, this));
    for (const [slot, value] of init.inputs.entries()) this.#connect(slot, value);
  }

  get inputs(): readonly (Value | null)[] {
    return this.#inputs;
  }

  /** Input `slot`; throws if the node leaves it out. */
  in(slot: number): Value {
    const value = this.#inputs[slot];
    if (!value) throw new Error(`bug: ${this.opType} "${this.name}" has no input ${slot}`);
    return value;
  }

  /** Input `slot`, or undefined if the node leaves it out. */
  optionalIn(slot: number): Value | undefined {
    return this.#inputs[slot] ?? undefined;
  }

  out(index = 0): Value {
    const value = this.outputs[index];
    if (!value) throw new Error(`bug: ${this.opType} "${this.name}" has no output ${index}`);
    return value;
  }

  /** Whether the value that input `slot` reads lists that use. */
  isUseKnown(slot: number): boolean {
    const [value, use] = [this.#inputs[slot], this.#uses[slot]];
    return value !== null && value !== undefined && use !== null && use !== undefined && value.uses.has(use);
  }

  /** Makes input `slot` read `value` (null leaves an optional input out). Trailing slots may be added. */
  replaceInput(slot: number, value: Value | null): void {
    if (slot < 0 || slot > this.#inputs.length) throw new Error(`bug: ${this.opType} "${this.name}" has no slot ${slot}`);
    const old = this.#inputs[slot];
    const use = this.#uses[slot];
    if (old && use) mutableUses(old).delete(use);
    this.#connect(slot, value);
  }

  /** Removes all inputs; a node taken out of its graph reads nothing. */
  disconnect(): void {
    for (const slot of this.#inputs.keys()) this.replaceInput(slot, null);
  }

  #connect(slot: number, value: Value | null): void {
    const use = value ? { node: this, slot } : null;
    this.#inputs[slot] = value;
    this.#uses[slot] = use;
    if (value && use) mutableUses(value).add(use);
  }

  int(name: string, fallback: number): number {
    return this.#get(name, "int") ?? fallback;
  }

  float(name: string, fallback: number): number {
    return this.#get(name, "float") ?? fallback;
  }

  string(name: string, fallback: string): string {
    return this.#get(name, "string") ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#get(name, "ints");
  }

  floats(name: string): readonly number[] | undefined {
    return this.#get(name, "floats");
  }

  #get<T extends keyof AttributeValues>(name: string, type: T): AttributeValues[T] | undefined {
    const attribute = this.attributes.get(name);
    if (!attribute) return undefined;
    if (attribute.type !== type) throw new Error(`bug: attribute ${name} of ${this.opType} "${this.name}" is ${attribute.type}, not ${type}`);
    return attribute.value as AttributeValues[T];
  }
}
