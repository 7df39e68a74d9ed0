import { toAttribute, type Attribute, type AttributeInput } from "./attribute.ts";
import { carryOver } from "./carried.ts";
import { countedList } from "./counted-list.ts";
import { editCount, Node, Value, type NodeInit, type Shape } from "./node.ts";
import type { DataType, Tensor } from "./tensor.ts";

/** Facts about the model file that no computation needs; kept through load and save. */
export interface ModelFacts {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: number;
  doc: string;
  /** Model-local functions, carried through untouched. */
  functions: readonly LocalFunction[];
}

export interface LocalFunction {
  readonly domain: string;
  readonly name: string;
  /** The serialized field `ModelProto.functions`, its tag included. */
  readonly bytes: Uint8Array;
}

/**
 * A model: nodes with use-def edges, inputs, outputs, operator sets and metadata.
 * Nodes may be added in any order: `sorted()` gives the execution order, and saving uses it.
 */
export class Graph {
  name: string;
  doc = "";
  /** The file that it, or what it was made from, was read from; "" for none. For messages alone. */
  origin = "";
  readonly inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly outputs: Value[] = countedList(this.#outputs, () => { this.#positionsOfOutputs = undefined; });
  /** Operator-set version by domain; "" is ai.onnx. Empty in a subgraph. */
  readonly opsets = new Map<string, number>();
  /** metadata_props of the model. */
  readonly metadata = new Map<string, string>();
  readonly facts: ModelFacts = { irVersion: 8, producerName: "edgestill", producerVersion: "", domain: "", modelVersion: 0, doc: "", functions: [] };
  readonly #nodes = new Set<Node>();
  #fresh = 0;
  /** Where each value stands among the outputs; made anew after they change. */
  #positionsOfOutputs: Map<Value, number[]> | undefined;
  /** The execution order that was found last, and the edits and changes of nodes until then. */
  #order: { readonly nodes: readonly Node[]; readonly edits: number; readonly changes: number } | undefined;
  #changes = 0;

  constructor(name = "graph", opset?: number) {
    this.name = name;
    if (opset !== undefined) this.opsets.set("", opset);
  }

  get nodes(): ReadonlySet<Node> {
    return this.#nodes;
  }

  /** Version of ai.onnx. */
  get opset(): number {
    return this.opsets.get("") ?? 0;
  }

  addInput(name: string, dtype: DataType, shape: Shape): Value {
    const value = new Value(name, { dtype, shape });
    this.inputs.push(value);
    return value;
  }

  /** A new initializer; it belongs to the graph as soon as a node or output reads it. */
  addInitializer(name: string, tensor: Tensor): Value {
    return new Value(name, { tensor });
  }

  addNode(init: Omit<NodeInit, "attributes"> & { readonly attributes?: Readonly<Record<string, AttributeInput>> | ReadonlyMap<string, Attribute> }): Node {
    const attributes = init.attributes instanceof Map
      ? (init.attributes as ReadonlyMap<string, Attribute>)
      : new Map(Object.entries(init.attributes ?? {}).map(([name, input]) => [name, toAttribute(name, input as AttributeInput)]));
    const node = new Node({ ...init, attributes });
    this.#nodes.add(node);
    this.#changes++;
    return node;
  }

  /** Whether `value` is an output of the graph; takes no longer the more outputs there are. */
  isOutput(value: Value): boolean {
    return this.#positions().has(value);
  }

  #positions(): Map<Value, number[]> {
    if (this.#positionsOfOutputs) return this.#positionsOfOutputs;
    const found = new Map<Value, number[]>();
    for (const [index, output] of this.outputs.entries()) {
      const known = found.get(output);
      if (known) known.push(index);
      else found.set(output, [index]);
    }
    this.#positionsOfOutputs = found;
    return found;
  }

  /** Takes `node` out. Refuses (and changes nothing) while one of its outputs is read or is a graph output. */
  removeNode(node: Node): void {
    if (!this.#nodes.has(node)) throw new Error(`bug: ${node.opType} "${node.name}" is not in graph "${this.name}"`);
    const needed = node.outputs.find((output) => output.uses.size > 0 || this.isOutput(output));
    if (needed) throw new Error(`bug: cannot remove ${node.opType} "${node.name}": "${needed.name}" is still used`);
    node.disconnect();
    this.#nodes.delete(node);
    this.#changes++;
  }

  /** Every reader of `old` (nodes and graph outputs) reads `replacement` instead; `except` keeps reading `old`. */
  replaceAllUses(old: Value, replacement: Value, except?: Node): void {
    if (old === replacement) return;
    for (const { node, slot } of [...old.uses]) if (node !== except) node.replaceInput(slot, replacement);
    this.#replaceOutput(old, replacement);
  }

  #replaceOutput(old: Value, replacement: Value): void {
    const positions = this.#positions();
    const places = positions.get(old);
    if (!places) return;
    for (const index of places) this.#outputs[index] = replacement;
    positions.delete(old);
    positions.set(replacement, [...(positions.get(replacement) ?? []), ...places]);
  }

  /** A value name that no earlier call gave; saving makes clashes with loaded names unique. */
  freshName(prefix: string): string {
    return `${prefix}_${this.#fresh++}`;
  }

  /** Nodes in execution order, stable with respect to insertion. Throws on a cycle. */
  sorted(): Node[] {
    const known = this.#order;
    const isCurrent = known?.edits === editCount() && known.changes === this.#changes;
    if (isCurrent && known.nodes.every(hasNoBody)) return [...known.nodes]; // bodies are attributes, whose changes nobody counts
    const nodes = this.#isInOrder() ? [...this.#nodes] : this.#depthFirst();
    this.#keepOrder(nodes);
    return [...nodes];
  }

  #keepOrder(nodes: readonly Node[]): void {
    this.#order = { nodes, edits: editCount(), changes: this.#changes };
  }

  /** Whether the nodes were added in an execution order, as most are. */
  #isInOrder(): boolean {
    const done = new Set<Node>();
    for (const node of this.#nodes) {
      for (const value of readValues(node)) {
        const producer = value.producer;
        if (producer && !done.has(producer) && this.#nodes.has(producer)) return false;
      }
      done.add(node);
    }
    return true;
  }

  #depthFirst(): Node[] {
    const order: Node[] = [];
    const state = new Map<Node, "open" | "done">();
    for (const root of this.#nodes) {
      const stack: Node[] = [root];
      while (stack.length > 0) {
        const node = stack[stack.length - 1]!;
        if (state.get(node) === "done") { stack.pop(); continue; }
        if (state.get(node) === "open") { state.set(node, "done"); order.push(node); stack.pop(); continue; }
        state.set(node, "open");
        for (const value of [...readValues(node)].reverse()) {
          const producer = value.producer;
          if (!producer || !this.#nodes.has(producer)) continue;
          if (state.get(producer) === "open") throw new Error(`bug: graph "${this.name}" has a cycle through "${node.name}"`);
          if (!state.has(producer)) stack.push(producer);
        }
      }
    }
    return order;
  }

  /** All initializers that nodes or outputs read, in order of first use (outer values of subgraphs included). */
  get initializers(): Value[] {
    const found = new Set<Value>();
    const visit = (value: Value | null) => { if (value?.tensor && !value.producer) found.add(value); };
    for (const node of this.sorted()) readValues(node).forEach(visit);
    this.outputs.forEach(visit);
    return [...found];
  }

  /** Every value: inputs, initializers, node outputs. */
  get values(): Value[] {
    return [...new Set([...this.inputs, ...this.initializers, ...this.sorted().flatMap((node) => node.outputs)])];
  }

  /** The value called `name`; undefined if there is none. */
  find(name: string): Value | undefined {
    return this.values.find((value) => value.name === name);
  }

  /** Copies nodes and values, shares tensors. `mapping` receives old value -> new value. */
  clone(mapping: Map<Value, Value> = new Map()): Graph {
    const copy = new Graph(this.name);
    [copy.doc, copy.origin] = [this.doc, this.origin];
    Object.assign(copy.facts, this.facts);
    carryOver(this, copy);
    for (const [domain, version] of this.opsets) copy.opsets.set(domain, version);
    for (const [key, value] of this.metadata) copy.metadata.set(key, value);
    copy.#fresh = this.#fresh;
    const duplicate = (value: Value): Value => {
      const twin = new Value(value.name, value);
      carryOver(value, twin);
      mapping.set(value, twin);
      return twin;
    };
    const lookup = (value: Value): Value => mapping.get(value) ?? (value.producer || !value.tensor ? value : duplicate(value));
    for (const input of this.inputs) copy.inputs.push(duplicate(input));
    for (const node of this.sorted()) {
      const attributes = new Map([...node.attributes].map(([name, attribute]) => [name, cloneAttribute(attribute, mapping, lookup)]));
      const twin = new Node({
        opType: node.opType, domain: node.domain, name: node.name, doc: node.doc, attributes,
        inputs: node.inputs.map((value) => value && lookup(value)), outputs: node.outputs.map((value) => value.name),
      });
      copy.#nodes.add(twin);
      carryOver(node, twin);
      for (const [index, output] of node.outputs.entries()) {
        const made = twin.out(index);
        made.dtype = output.dtype;
        made.shape = output.shape;
        carryOver(output, made);
        mapping.set(output, made);
      }
    }
    for (const output of this.#outputs) copy.#outputs.push(lookup(output));
    copy.#keepOrder([...copy.#nodes]);
    return copy;
  }
}

const cloneAttribute = (attribute: Attribute, mapping: Map<Value, Value>, lookup: (value: Value) => Value): Attribute => {
  if (attribute.type !== "graph" && attribute.type !== "graphs") return attribute;
  const copy: Attribute = attribute.type === "graph"
    ? { type: "graph", value: cloneSubgraph(attribute.value, mapping, lookup) }
    : { type: "graphs", value: attribute.value.map((graph) => cloneSubgraph(graph, mapping, lookup)) };
  carryOver(attribute, copy);
  return copy;
};

const cloneSubgraph = (graph: Graph, mapping: Map<Value, Value>, lookup: (value: Value) => Value): Graph => {
  for (const value of capturedBy(graph)) if (!mapping.has(value)) mapping.set(value, lookup(value));
  return graph.clone(mapping);
};

/** Subgraphs of a node's attributes (bodies of If, Loop, Scan). */
export const subgraphsOf = (node: Node): readonly Graph[] => {
  if (node.attributes.size === 0) return none;
  const found: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.type === "graph") found.push(attribute.value);
    else if (attribute.type === "graphs") found.push(...attribute.value);
  }
  return found;
};

const none: readonly Graph[] = [];
const hasNoBody = (node: Node): boolean => subgraphsOf(node).length === 0;

/** Whether the graph or a body in it has a node of one of the ops. */
export const hasOp = (graph: Graph, ...opTypes: readonly string[]): boolean => {
  const graphs = [graph];
  for (let next = graphs.pop(); next; next = graphs.pop()) {
    for (const node of next.nodes) {
      if (opTypes.includes(node.opType)) return true;
      for (const body of subgraphsOf(node)) graphs.push(body);
    }
  }
  return false;
};

/** Values of enclosing graphs that `graph` reads. */
export const capturedBy = (graph: Graph): Value[] => {
  const own = new Set<Value>(graph.inputs);
  const read = new Set<Value>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) own.add(output);
    for (const value of readValues(node)) read.add(value);
  }
  for (const output of graph.outputs) read.add(output);
  return [...read].filter((value) => !own.has(value) && !(value.tensor && !value.producer));
};

/** What a node reads: its inputs and whatever its subgraphs capture. */
export const readValues = (node: Node): readonly Value[] => {
  const bodies = subgraphsOf(node);
  if (bodies.length === 0 && !node.inputs.includes(null)) return node.inputs as readonly Value[];
  const read = node.inputs.filter((value): value is Value => value !== null);
  for (const body of bodies) for (const value of capturedBy(body)) read.push(value);
  return read;
};
