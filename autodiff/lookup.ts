import type { Node } from "../graph/node.ts";
import type { GradientRule } from "./rule.ts";
import { gradientRules } from "./rules.ts";

/** Is an operator of ai.onnx. */
export const isStandard = ({ domain }: Node): boolean => domain === "" || domain === "ai.onnx";

/** The gradient rule of an ai.onnx op; undefined where the table has no row. */
export const ruleOf = (node: Node): GradientRule | undefined =>
  isStandard(node) && Object.hasOwn(gradientRules, node.opType) ? gradientRules[node.opType as keyof typeof gradientRules] : undefined;
