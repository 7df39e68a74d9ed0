import type { Node } from "./node.ts";
import { bodyRules } from "./op-rules/bodies.ts";
import { layoutRules } from "./op-rules/layout.ts";
import { shown, type OperandRule } from "./op-rules/rule.ts";
import { valueOpRules } from "./op-rules/values.ts";
import { windowRules } from "./op-rules/window.ts";
import type { ShapeContext, ValueType } from "./shapes/rule.ts";

/** What the schemas of ai.onnx say in prose: ranges, enumerations, and what shapes must have to do with each other. */
const operandRules: Readonly<Record<string, OperandRule>> = { ...windowRules, ...layoutRules, ...valueOpRules, ...bodyRules };

/** Which rule of its op the node breaks, by what is known of its attributes and inputs. */
export const operandProblem = (c: ShapeContext): string | undefined => {
  const { domain, opType } = c.node;
  return domain === "" && Object.hasOwn(operandRules, opType) ? operandRules[opType]!(c) : undefined;
};

/** An output whose size is no size. */
export const sizeProblem = (node: Node, types: readonly (ValueType | undefined)[]): string | undefined => {
  for (const [index, output] of node.outputs.entries()) {
    const shape = types[index]?.shape;
    const isWrong = shape?.some((dim) => typeof dim === "number" && (!Number.isSafeInteger(dim) || dim < 0));
    if (shape && isWrong) return `its output "${output.name}" would have the shape ${shown(shape)}`;
  }
  return undefined;
};
