import { createHash, type Hash } from "node:crypto";
import type { Attribute } from "../graph/attribute.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import type { Tensor } from "../graph/tensor.ts";

/** SHA-256 of what a graph computes (structure, attributes, constants; not names, except those of its inputs) and of `extra`, which must survive JSON. */
export const fingerprint = (graph: Graph, extra: unknown): string => {
  const hash = createHash("sha256").update(JSON.stringify(extra) ?? "null");
  hashGraph(hash, graph, new Map());
  return hash.digest("hex");
};

const hashGraph = (hash: Hash, graph: Graph, ids: Map<Value, number>): void => {
  const id = (value: Value): number => {
    const known = ids.get(value);
    if (known !== undefined) return known;
    ids.set(value, ids.size);
    if (value.tensor) hashTensor(hash, value.tensor);
    return ids.size - 1;
  };
  const write = (...fields: unknown[]): void => { hash.update(`${JSON.stringify(fields)}\n`); };
  for (const input of graph.inputs) write("input", id(input), input.name, input.dtype, input.shape);
  for (const node of graph.sorted()) {
    write(node.domain, node.opType, node.inputs.map((value) => value && id(value)), node.outputs.map(id));
    for (const [name, attribute] of [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      write(name, attribute.type);
      hashAttribute(hash, attribute, ids);
    }
  }
  write("outputs", graph.outputs.map(id));
};

const hashAttribute = (hash: Hash, attribute: Attribute, ids: Map<Value, number>): void => {
  switch (attribute.type) {
    case "tensor": return hashTensor(hash, attribute.value);
    case "tensors": return attribute.value.forEach((tensor) => hashTensor(hash, tensor));
    case "graph": return hashGraph(hash, attribute.value, ids);
    case "graphs": return attribute.value.forEach((graph) => hashGraph(hash, graph, ids));
    case "kept": hash.update(attribute.value); return;
    case "float": case "int": case "string": case "floats": case "ints": case "strings":
      hash.update(JSON.stringify(attribute.value));
  }
};

const hashTensor = (hash: Hash, tensor: Tensor): void => {
  hash.update(JSON.stringify([tensor.dtype, tensor.shape, tensor.strings])).update(tensor.bytes);
};
