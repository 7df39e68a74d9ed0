import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { single, type GradientRule } from "./rule.ts";

const prefix = "stop_gradient/";

/** `value`, through which no gradient flows: an Identity whose node name says so, so that it survives clone, save and load. */
export const stopGradient = (b: Builder, value: Value): Value => {
  const stopped = b.op("Identity", [value]);
  if (stopped.producer) stopped.producer.name = `${prefix}${stopped.producer.name}`;
  return stopped;
};

export const isStopGradient = (node: Node): boolean => node.opType === "Identity" && node.name.startsWith(prefix);

export const identityGradient: GradientRule = single((_b, node, dy) => (isStopGradient(node) ? [] : [dy]));
