import { UserError } from "./error.ts";
import type { Node } from "./node.ts";

/** Longest name of a node that a message repeats. */
const longest = 120;

/** How messages name a node. */
export const labelOf = (node: Node): string => {
  const name = node.name || (node.outputs[0]?.name ?? "") || "(unnamed)";
  const domain = node.domain === "" ? "" : `${node.domain}.`;
  return `${domain}${node.opType.slice(0, longest)} "${name.length > longest ? `${name.slice(0, longest)}…` : name}"`;
};

/** A node breaks a rule of its operator; `problem` names the rule and what the node has instead. */
export const invalidOp = (node: Node, problem: string): UserError =>
  new UserError("INVALID_OP", `${labelOf(node)} is not a valid operation: ${problem}.`,
    "export the model again; onnx.checker.check_model(path, full_check=True) in Python checks a file by the same rules.");
