import { exactInts, intAttribute, intsAttribute, type Attribute } from "../attribute.ts";
import { Graph } from "../graph.ts";
import { Value, type Dim, type Shape } from "../node.ts";
import { inferShapes } from "../shapes.ts";
import { elementCount, isKeptType, Tensor, toInt64, type DataType } from "../tensor.ts";
import { typeNamed } from "./names.ts";
import { cannotParse, tokenize, type Token } from "./tokens.ts";

interface Type {
  readonly dtype: DataType | undefined;
  readonly shape: Shape | undefined;
}

/**
 * Reads what printGraph writes, or a model written by hand; shapes that the text leaves out are inferred. Opset 17 where none is given.
 * Throws UserError GRAPH_TEXT with the line.
 */
export const parseGraph = (text: string): Graph => {
  const parser = new Parser(tokenize(text));
  const graph = parser.graph(new Map(), true);
  parser.expectEnd();
  inferShapes(graph);
  return graph;
};

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** [graph name <opset 17, domain 1>] (inputs) { statements } -> outputs; a body in an attribute brackets its outputs unless there is one. */
  graph(outer: ReadonlyMap<string, Value>, isModel: boolean): Graph {
    const graph = new Graph("graph");
    if (this.#accept("graph")) graph.name = this.#name();
    if (isModel) this.#opsets(graph);
    const scope = new Map(outer);
    this.#expect("(");
    this.#list(")", () => {
      const { label, type } = this.#typed();
      const input = new Value(label, type);
      graph.inputs.push(input);
      scope.set(label, input);
    });
    this.#expect("{");
    while (!this.#accept("}")) this.#statement(graph, scope);
    this.#expect("->");
    const output = (): void => void graph.outputs.push(this.#lookup(scope, this.#name()));
    if (this.#accept("(")) this.#list(")", output);
    else do output(); while (isModel && this.#accept(","));
    return graph;
  }

  expectEnd(): void {
    if (this.#peek.kind !== "end") throw this.#error(`expected the end, found "${this.#peek.text}"`);
  }

  #opsets(graph: Graph): void {
    if (this.#accept("<")) {
      this.#list(">", () => {
        const domain = this.#name();
        graph.opsets.set(domain === "opset" ? "" : domain, this.#number());
      });
    }
    if (!graph.opsets.has("")) graph.opsets.set("", 17);
  }

  #statement(graph: Graph, scope: Map<string, Value>): void {
    if (this.#accept("meta")) {
      const key = this.#name();
      this.#expect("=");
      graph.metadata.set(key, this.#name());
    } else if (this.#accept("const")) {
      this.#constant(graph, scope);
    } else {
      this.#node(graph, scope);
    }
  }

  /** const w: f32[2] = [1, 2] */
  #constant(graph: Graph, scope: Map<string, Value>): void {
    const { label, type } = this.#typed();
    this.#expect("=");
    const tensor = this.#contents(type);
    const input = graph.inputs.find((value) => value.name === label);
    if (input) input.tensor = tensor; // an input with a default
    else scope.set(label, graph.addInitializer(label, tensor));
  }

  /** a: f32[1], _ = domain::Op<axis=1>(x, _) "node name" */
  #node(graph: Graph, scope: Map<string, Value>): void {
    const outputs: { label: string; type: Type }[] = [];
    do outputs.push(this.#accept("_") ? { label: "", type: unknownType } : this.#typed()); while (this.#accept(","));
    this.#expect("=");
    let opType = this.#name();
    let domain = "";
    if (this.#accept("::")) [domain, opType] = [opType, this.#name()];
    const attributes = new Map<string, Attribute>();
    if (this.#accept("<")) {
      this.#list(">", () => {
        const key = this.#name();
        this.#expect("=");
        attributes.set(key, this.#attribute(scope));
      });
    }
    const inputs: (Value | null)[] = [];
    this.#expect("(");
    this.#list(")", () => inputs.push(this.#accept("_") ? null : this.#lookup(scope, this.#name())));
    const label = this.#peek.kind === "quoted" && !this.#startsStatement() ? this.#name() : "";
    const node = graph.addNode({ opType, domain, name: label, inputs, outputs: outputs.map((output) => output.label), attributes });
    for (const [index, output] of node.outputs.entries()) {
      Object.assign(output, outputs[index]!.type);
      if (output.name !== "") scope.set(output.name, output);
    }
  }

  /** Whether the quoted text ahead is an output of the next statement rather than the name of this node. */
  #startsStatement(): boolean {
    const next = this.#tokens[this.#at + 1]!;
    return next.kind === "mark" && [":", "=", ","].includes(next.text);
  }

  #attribute(scope: ReadonlyMap<string, Value>): Attribute {
    if (this.#isAhead("graph") || this.#isAhead("(")) return { type: "graph", value: this.graph(scope, false) };
    if (this.#isAhead("[")) return this.#listAttribute(scope);
    const { kind, text } = this.#peek;
    if (kind === "quoted") return { type: "string", value: this.#name() };
    if (kind === "number" && /^-?\d+$/.test(text)) { this.#number(); return intAttribute(BigInt(text)); }
    if (kind === "number") return { type: "float", value: this.#number() };
    if (/^(int|float|string|tensor|graph)s$/.test(text)) return this.#emptyList();
    if (this.#accept("kept")) return { type: "kept", value: new Uint8Array(Buffer.from(this.#name(), "base64")) };
    const type = this.#type();
    this.#expect("=");
    return { type: "tensor", value: this.#contents(type) };
  }

  #listAttribute(scope: ReadonlyMap<string, Value>): Attribute {
    const items: Attribute[] = [];
    this.#expect("[");
    this.#list("]", () => items.push(this.#attribute(scope)));
    const kinds = new Set(items.map(({ type }) => type));
    if (kinds.size === 2 && kinds.has("int") && kinds.has("float")) return { type: "floats", value: items.map(({ value }) => value as number) };
    const kind = items[0]?.type;
    if (kinds.size !== 1 || !kind || kind.endsWith("s")) throw this.#error("a list holds numbers, strings, tensors or graphs, of one kind");
    if (kind === "int") return intsAttribute(items.map((item) => toInt64(exactInts(item)![0]!)));
    return { type: `${kind}s`, value: items.map(({ value }) => value) } as Attribute;
  }

  #emptyList(): Attribute {
    const type = this.#name() as "ints";
    this.#expect("[");
    this.#expect("]");
    return { type, value: [] };
  }

  /** [1, 2] | fill 0.5 | base64 "..." */
  #contents({ dtype, shape }: Type): Tensor {
    const dims = shape?.every((dim) => typeof dim === "number") ? (shape) : undefined;
    if (!dtype || !dims) throw this.#error("a constant needs a type with numbers, such as f32[2,3]");
    const count = elementCount(dims);
    if (this.#isAhead("...")) throw this.#error("the contents were left out; print the graph with contents: \"all\"");
    if (this.#accept("base64")) return new Tensor(dtype, dims, new Uint8Array(Buffer.from(this.#name(), "base64")));
    if (isKeptType(dtype)) throw this.#error(`a constant of type ${dtype} is written as base64`);
    if (this.#accept("fill")) return Tensor.from(dtype, dims, new Array<number>(count).fill(this.#number()));
    const texts: string[] = [];
    const { line } = this.#peek;
    this.#expect("[");
    this.#list("]", () => texts.push(this.#next().text));
    if (texts.length !== count) throw cannotParse(line, `[${dims.join(",")}] holds ${count} elements, found ${texts.length}`);
    if (dtype === "string") return new Tensor(dtype, dims, new Uint8Array(), texts);
    if (dtype === "int64") return Tensor.of(dtype, dims, BigInt64Array.from(texts, BigInt));
    if (dtype === "uint64") return Tensor.of(dtype, dims, BigUint64Array.from(texts, BigInt));
    return Tensor.from(dtype, dims, texts.map((text) => numberOf(text)));
  }

  #typed(): { label: string; type: Type } {
    const label = this.#name();
    return { label, type: this.#accept(":") ? this.#type() : unknownType };
  }

  #type(): Type {
    const dtype = this.#accept("?") ? undefined : this.#dtype();
    if (!this.#accept("[")) return { dtype, shape: undefined };
    const shape: Dim[] = [];
    this.#list("]", () => shape.push(this.#peek.kind === "number" ? this.#number() : this.#name()));
    return { dtype, shape };
  }

  #dtype(): DataType {
    const text = this.#name();
    const dtype = typeNamed(text);
    if (!dtype) throw this.#error(`"${text}" is no element type`);
    return dtype;
  }

  #lookup(scope: ReadonlyMap<string, Value>, label: string): Value {
    const value = scope.get(label);
    if (!value) throw this.#error(`"${label}" is not defined above`);
    return value;
  }

  #list(end: string, item: () => void): void {
    if (this.#accept(end)) return;
    do item(); while (this.#accept(","));
    this.#expect(end);
  }

  get #peek(): Token {
    return this.#tokens[this.#at]!;
  }

  #next(): Token {
    const token = this.#peek;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #isAhead(text: string): boolean {
    return this.#peek.kind !== "quoted" && this.#peek.text === text;
  }

  #accept(text: string): boolean {
    const found = this.#isAhead(text);
    if (found) this.#at++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#error(`expected "${text}", found "${this.#peek.text}"`);
  }

  #name(): string {
    const { kind, text } = this.#peek;
    if (kind !== "name" && kind !== "quoted") throw this.#error(`expected a name, found "${text}"`);
    this.#at++;
    return text;
  }

  #number(): number {
    const { kind, text } = this.#next();
    if (kind !== "number") throw this.#error(`expected a number, found "${text}"`);
    return numberOf(text);
  }

  #error(message: string): Error {
    return cannotParse(this.#peek.line, message);
  }
}

const unknownType: Type = { dtype: undefined, shape: undefined };

const numberOf = (text: string): number => {
  const named = { inf: Infinity, "-inf": -Infinity, nan: NaN, "-nan": NaN }[text];
  return named ?? Number(text);
};
