import type { Graph } from "../graph.ts";
import { first, intRange, firstOf, type OperandRule } from "./rule.ts";
import type { ShapeContext } from "../shapes/rule.ts";

const body = (c: ShapeContext, name: string): Graph | undefined => {
  const attribute = c.node.attributes.get(name);
  return attribute?.type === "graph" ? attribute.value : undefined;
};

/** Inputs and outputs of a body; undefined: any number. */
const ports = (c: ShapeContext, name: string, inputs: number, outputs: number): string | undefined => {
  const graph = body(c, name);
  return graph && first([
    graph.inputs.length !== inputs && `its ${name} has ${graph.inputs.length} inputs and must have ${inputs}`,
    graph.outputs.length !== outputs && `its ${name} has ${graph.outputs.length} outputs and must have ${outputs}`,
  ]);
};

const oneElement = (slot: number): OperandRule => (c) => {
  const shape = c.shape(slot);
  const count = shape?.reduce<number | undefined>((size, dim) => (typeof dim === "number" && size !== undefined ? size * dim : undefined), 1);
  return count !== undefined && count !== 1 ? `input ${slot} has ${count} elements and must have 1` : undefined;
};

const conditional: OperandRule = firstOf(oneElement(0), (c) => {
  const outputs = c.node.outputs.length;
  return ports(c, "then_branch", 0, outputs) ?? ports(c, "else_branch", 0, outputs);
});

/** Body: (number, condition, carried…) -> (condition, carried…, scanned…). */
const loop: OperandRule = firstOf(oneElement(0), oneElement(1), (c) => {
  const carried = Math.max(0, c.node.inputs.length - 2);
  return first([
    c.node.outputs.length < carried && `it carries ${carried} values and has ${c.node.outputs.length} outputs`,
    ports(c, "body", 2 + carried, 1 + c.node.outputs.length),
  ]);
});

/** Inputs: states, then what is scanned (`num_scan_inputs`); from opset 9 on. */
const scan: OperandRule = firstOf(intRange("num_scan_inputs", 1), (c) =>
  (c.opset < 9 ? undefined : ports(c, "body", c.node.inputs.length, c.node.outputs.length)));

export const bodyRules: Readonly<Record<string, OperandRule>> = { If: conditional, Loop: loop, Scan: scan };
