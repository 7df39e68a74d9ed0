import { plainProblem, quotedName } from "../escape/names.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";

/** Refuses text of a model that could not be printed or written elsewhere (`escape/names.ts`): names, ops, domains, free sizes, keys of metadata. Throws UserError BAD_NAME. */
export const checkNames = (graph: Graph, label: string): void => {
  const check = (what: string, name: string): void => {
    const problem = plainProblem(name);
    if (problem !== undefined) throw badName(label, what, name, problem);
  };
  for (const key of graph.metadata.keys()) check("the metadata key", key);
  for (const domain of graph.opsets.keys()) check("the operator domain", domain);
  const graphs = [graph];
  for (let next = graphs.pop(); next; next = graphs.pop()) {
    for (const value of [...next.inputs, ...next.initializers, ...[...next.nodes].flatMap(({ outputs }) => outputs)]) {
      check("the tensor name", value.name);
      for (const size of value.shape ?? []) if (typeof size === "string") check("the free size", size);
    }
    for (const { name, opType, domain, attributes } of next.nodes) {
      check("the node name", name);
      check("the op", opType);
      check("the operator domain", domain);
      for (const [key, { type, value }] of attributes) {
        check("the attribute", key);
        if (type === "graph") graphs.push(value);
        if (type === "graphs") graphs.push(...value);
      }
    }
  }
};

const badName = (label: string, what: string, name: string, problem: string): UserError =>
  new UserError("BAD_NAME", `${label}: ${what} ${quotedName(name)} is refused: ${problem}.`, "export the model again with names of plain text.");
