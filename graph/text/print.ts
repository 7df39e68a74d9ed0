import type { Attribute } from "../attribute.ts";
import { capturedBy, type Graph } from "../graph.ts";
import type { Dim, Node, Value } from "../node.ts";
import { isKeptType, toInt64, type Tensor } from "../tensor.ts";
import { isBareName, shortTypes } from "./names.ts";

export interface PrintOptions {
  /** `all` writes every tensor, so that the text parses; `short` leaves out what is longer than 16 elements. */
  readonly contents?: "all" | "short";
}

/** The graph as text (syntax: docs/graph.md). parseGraph reads it back; docs, model facts and functions are left out. */
export const printGraph = (graph: Graph, { contents = "short" }: PrintOptions = {}): string => {
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain === "" ? "opset" : name(domain)} ${version}`).join(", ");
  const head = `graph ${name(graph.name)}${opsets && ` <${opsets}>`} `;
  const printer = new Printer(contents, new Map());
  const metadata = [...graph.metadata].map(([key, value]) => `  meta ${quote(key)} = ${quote(value)}`);
  return head + printer.body(graph, "", metadata) + "\n";
};

const quote = (text: string): string => JSON.stringify(text);
const name = (text: string): string => (isBareName(text) ? text : quote(text));

class Printer {
  readonly #contents: "all" | "short";
  readonly #names: Map<Value, string>;
  readonly #taken = new Set<string>();

  constructor(contents: "all" | "short", outer: ReadonlyMap<Value, string>) {
    this.#contents = contents;
    this.#names = new Map(outer);
    for (const taken of outer.values()) this.#taken.add(taken);
  }

  body(graph: Graph, indent: string, lines: readonly string[] = []): string {
    for (const value of [...graph.inputs, ...graph.outputs]) this.#nameOf(value);
    const inputs = graph.inputs.map((input) => this.#typed(input)).join(", ");
    const inner = `${indent}  `;
    const own = graph.initializers.filter((value) => !this.#names.has(value) || graph.isOutput(value) || graph.inputs.includes(value));
    const constants = own.map((value) => `${inner}const ${this.#typed(value)} = ${this.#tensor(value.tensor!)}`);
    const nodes = graph.sorted().map((node) => `${inner}${this.#node(node, inner)}`);
    const outputs = graph.outputs.map((output) => this.#nameOf(output)).join(", ");
    const list = graph.outputs.length === 1 ? outputs : `(${outputs})`;
    return `(${inputs}) {\n${[...lines, ...constants, ...nodes].map((line) => `${line}\n`).join("")}${indent}} -> ${list}`;
  }

  #node(node: Node, indent: string): string {
    const outputs = node.outputs.map((output) => (output.name === "" ? "_" : this.#typed(output))).join(", ");
    const attributes = [...node.attributes].map(([key, attribute]) => `${key}=${this.#attribute(attribute, indent)}`).join(", ");
    const inputs = node.inputs.map((input) => (input ? this.#nameOf(input) : "_")).join(", ");
    const domain = node.domain === "" ? "" : `${name(node.domain)}::`;
    return `${outputs} = ${domain}${name(node.opType)}${attributes && `<${attributes}>`}(${inputs})${node.name === "" ? "" : ` ${quote(node.name)}`}`;
  }

  /** A label that no other value of the text has. */
  #nameOf(value: Value): string {
    const known = this.#names.get(value);
    if (known) return known;
    let label = value.name || "unnamed";
    for (let copy = 2; this.#taken.has(name(label)); copy++) label = `${value.name}~${copy}`;
    this.#names.set(value, name(label));
    this.#taken.add(name(label));
    return name(label);
  }

  #typed(value: Value): string {
    const type = typeText(value);
    return type === "" ? this.#nameOf(value) : `${this.#nameOf(value)}: ${type}`;
  }

  #tensor(tensor: Tensor): string {
    if (tensor.dtype === "string") return `[${tensor.strings.map(quote).join(", ")}]`;
    if (tensor.size <= 16 && !isKeptType(tensor.dtype) && !/^(bfloat|complex)/.test(tensor.dtype)) return `[${elements(tensor).join(", ")}]`;
    if (this.#contents === "short") return "...";
    return `base64 ${quote(Buffer.from(tensor.bytes).toString("base64"))}`;
  }

  #attribute(attribute: Attribute, indent: string): string {
    const list = (texts: readonly string[], type: string): string => (texts.length === 0 ? `${type}[]` : `[${texts.join(", ")}]`);
    switch (attribute.type) {
      case "int": return String(attribute.exact ?? integer(attribute.value));
      case "float": return float(attribute.value);
      case "string": return quote(attribute.value);
      case "ints": return list((attribute.exact ?? attribute.value.map(integer)).map(String), "ints");
      case "floats": return list(attribute.value.map(float), "floats");
      case "strings": return list(attribute.value.map(quote), "strings");
      case "tensor": return this.#typedTensor(attribute.value);
      case "tensors": return list(attribute.value.map((tensor) => this.#typedTensor(tensor)), "tensors");
      case "graph": return this.#subgraph(attribute.value, indent);
      case "kept": return `kept ${quote(Buffer.from(attribute.value).toString("base64"))}`;
      case "graphs": return list(attribute.value.map((graph) => this.#subgraph(graph, indent)), "graphs");
    }
  }

  #typedTensor(tensor: Tensor): string {
    return `${typeText(tensor)} = ${this.#tensor(tensor)}`;
  }

  #subgraph(graph: Graph, indent: string): string {
    for (const value of capturedBy(graph)) this.#nameOf(value);
    return `graph ${name(graph.name)} ${new Printer(this.#contents, this.#names).body(graph, indent)}`;
  }
}

const typeText = ({ dtype, shape }: { readonly dtype?: Value["dtype"]; readonly shape?: Value["shape"] }): string => {
  if (!dtype && !shape) return "";
  return `${dtype ? shortTypes[dtype] : "?"}${shape ? `[${shape.map(dimText).join(",")}]` : ""}`;
};

const dimText = (dim: Dim): string => (typeof dim === "number" ? String(dim) : name(dim));

/** The int64 that a number stands for: 2^63 is INT64_MAX. */
const integer = (value: number): number | bigint => (Number.isSafeInteger(value) ? value : toInt64(value));

/** A number with a point or an exponent, so that it reads back as a float. */
const float = (value: number): string => {
  const text = number(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
};

const number = (value: number): string => {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0.0" : String(value);
};

/** Fewest digits that read back as the same float32. */
const shortest = (value: number): string => {
  const short = [6, 7, 8, 9].map((digits) => Number(value.toPrecision(digits))).find((rounded) => Math.fround(rounded) === value);
  return number(short === undefined || Object.is(value, -0) ? value : short);
};

const elements = (tensor: Tensor): string[] => {
  if (tensor.dtype === "int64" || tensor.dtype === "uint64") return Array.from(tensor.data as BigInt64Array, String);
  return tensor.toNumbers().map(tensor.dtype === "float32" ? shortest : number);
};
