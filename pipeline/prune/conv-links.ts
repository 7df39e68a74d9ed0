import type { Node } from "../../graph/node.ts";
import { blocked, gather, link, sizeOf, spread, valueAt, type AxisRule, type IndexMap, type Link } from "./link.ts";

/** Channels per group times `groups`, all of one position within the group: a grouped conv keeps its groups equal. */
const acrossGroups = (perGroup: number, groups: number): IndexMap => (index) =>
  Array.from({ length: groups }, (_, group) => group * perGroup + (index % perGroup));

/** One input channel per group: channels pass through. */
export const isDepthwise = (node: Node): boolean => {
  const groups = node.int("group", 1);
  return groups > 1 && groups === sizeOf(node.in(0), 1);
};

/** x [N,I,…], w [O,I/g,…], b [O], y [N,O,…]. */
export const convLinks: AxisRule = (node, port) => {
  const y = node.out();
  const outputs = sizeOf(y, 1);
  const groups = node.int("group", 1);
  if (!Number.isInteger(outputs)) return blocked("the number of its output channels is unknown");
  const place = placeOf(port.side, port.index);
  const channelAxis = { x: 1, y: 1, w: port.axis, b: 0 }[place];
  if (port.axis !== channelAxis || port.axis > 1) return blocked("a convolution slides along that axis");
  if (isDepthwise(node)) return depthwise(node, place, port.axis, outputs / groups);
  const inside = sizeOf(node.in(1), 1);
  if (place === "x") return [link(node.in(1), 1, (index) => [index % inside])];
  if (place === "w" && port.axis === 1) return [link(node.in(0), 1, acrossAll(inside, groups))];
  const tied = groups === 1 ? undefined : acrossGroups(outputs / groups, groups);
  return [
    ...(place === "y" ? [] : [link(y, 1, tied)]),
    ...(place === "w" ? [] : [link(node.in(1), 0, tied)]),
    ...optionalBias(node, place, tied),
  ];
};

const acrossAll = (perGroup: number, groups: number): IndexMap => spread(groups, perGroup, 1);

const optionalBias = (node: Node, place: string, map?: IndexMap): Link[] => {
  const bias = node.optionalIn(2);
  return bias && place !== "b" ? [link(bias, 0, map)] : [];
};

const placeOf = (side: "in" | "out", index: number): "x" | "y" | "w" | "b" =>
  side === "out" ? "y" : index === 0 ? "x" : index === 1 ? "w" : "b";

/** w [C·m,1,…]: input channel c makes the m outputs c·m … c·m+m-1. */
const depthwise = (node: Node, place: "x" | "y" | "w" | "b", axis: number, multiplier: number): readonly Link[] | ReturnType<typeof blocked> => {
  if (place === "w" && axis === 1) return blocked("the input axis of a depthwise weight has size 1");
  const channels = sizeOf(node.in(0), 1);
  const toOutputs = place === "x" ? spread(1, channels, multiplier) : undefined;
  const toInputs = place === "x" ? undefined : gather(channels, multiplier);
  return [
    ...(place === "x" ? [] : [link(node.in(0), 1, toInputs)]),
    ...(place === "w" ? [] : [link(node.in(1), 0, toOutputs)]),
    ...(place === "y" ? [] : [link(node.out(), 1, toOutputs)]),
    ...optionalBias(node, place, toOutputs),
  ];
};

/** x [N,I,…], w [I,O/g,…], b [O], y [N,O,…]. */
export const convTransposeLinks: AxisRule = (node, port) => {
  const groups = node.int("group", 1);
  const y = node.out();
  const [inputs, inside] = [sizeOf(node.in(0), 1), sizeOf(node.in(1), 1)];
  if (!Number.isInteger(inputs)) return blocked("the number of its input channels is unknown");
  const place = placeOf(port.side, port.index);
  if (place === "b" ? port.axis !== 0 : place === "w" ? port.axis > 1 : port.axis !== 1) return blocked("a convolution slides along that axis");
  if (groups > 1 && inputs === groups) return depthwiseTransposed(node, place, port.axis, inside);
  const tied = groups === 1 ? undefined : acrossGroups(inputs / groups, groups);
  if (place === "x") return [link(node.in(1), 0, tied)];
  if (place === "w" && port.axis === 0) return [link(node.in(0), 1, tied)];
  const across = acrossAll(inside, groups);
  const within: IndexMap = (index) => [index % inside];
  return place === "w"
    ? [link(y, 1, across), ...optionalBias(node, place, across)]
    : [link(node.in(1), 1, within), ...(place === "y" ? optionalBias(node, place) : [link(y, 1)])];
};

/** w [C,m,…]: its first axis is the input's channels; channel c makes the m outputs c·m … c·m+m-1. */
const depthwiseTransposed = (node: Node, place: "x" | "y" | "w" | "b", axis: number, multiplier: number): readonly Link[] | ReturnType<typeof blocked> => {
  if (place === "w" && axis === 1) return blocked("the outputs that one channel makes stay together");
  const channels = sizeOf(node.in(0), 1);
  const isInput = place === "x" || place === "w";
  const toOutputs = isInput ? spread(1, channels, multiplier) : undefined;
  const toInputs = isInput ? undefined : gather(channels, multiplier);
  return [
    ...(place === "x" ? [] : [link(node.in(0), 1, toInputs)]),
    ...(place === "w" ? [] : [link(node.in(1), 0, toInputs)]),
    ...(place === "y" ? [] : [link(node.out(), 1, toOutputs)]),
    ...optionalBias(node, place, toOutputs),
  ];
};

/** One parameter vector per channel: scale, bias, mean, variance [C]; y [N,C,…] (BatchNormalization, InstanceNormalization). */
export const channelNormLinks: AxisRule = (node, port) => {
  const isData = port.index === 0;
  const here = valueAt(node, port);
  if (port.axis !== (isData ? 1 : 0)) return port.axis === 0 ? [link(node.in(0), 0), link(node.out(), 0)].filter((to) => to.value !== here) : blocked("it is normalised over that axis");
  const vectors = [...node.inputs.slice(1), ...node.outputs.slice(1)].filter((value) => value !== null && value.name !== "");
  return [link(node.in(0), 1), link(node.out(), 1), ...vectors.map((value) => link(value!, 0))].filter((to) => to.value !== here);
};
