import type { Node } from "../../graph/node.ts";
import { blocked, constantNumbers, link, normalAxis, rankOf, shift, sizeOf, type AxisRule } from "./link.ts";
import { canResize } from "./reshape-links.ts";

/** Offsets of the pieces along the axis of a Concat or Split. */
export const offsets = (values: readonly ({ shape?: unknown } & Parameters<typeof sizeOf>[0])[], axis: number): number[] => {
  let at = 0;
  return values.map((value) => (at += sizeOf(value, axis)) - sizeOf(value, axis));
};

/** in(i)[k] is out[offset(i) + k] along the axis. */
export const concatLinks: AxisRule = (node, port) => {
  const inputs = node.inputs.filter((value) => value !== null);
  const axis = normalAxis(node.int("axis", 0), rankOf(node.out()));
  if (port.axis !== axis) return [...inputs, node.out()].map((value) => link(value, port.axis));
  const starts = offsets(inputs, axis);
  if (starts.some(Number.isNaN)) return blocked("the size of one of its inputs is unknown");
  const total = sizeOf(node.out(), axis);
  return port.side === "in"
    ? [link(node.out(), axis, shift(starts[port.index]!, total))]
    : inputs.map((value, index) => link(value, axis, shift(-starts[index]!, sizeOf(value, axis))));
};

/** out(i)[k] is in[offset(i) + k] along the axis. */
export const splitLinks: AxisRule = (node, port) => {
  if (port.side === "in" && port.index > 0) return [];
  const x = node.in(0);
  const axis = normalAxis(node.int("axis", 0), rankOf(x));
  if (port.axis !== axis) return [x, ...node.outputs].map((value) => link(value, port.axis));
  const starts = offsets(node.outputs, axis);
  if (starts.some(Number.isNaN)) return blocked("the size of one of its outputs is unknown");
  return port.side === "out"
    ? [link(x, axis, shift(starts[port.index]!, sizeOf(x, axis)))]
    : node.outputs.map((value, index) => link(value, axis, shift(-starts[index]!, sizeOf(value, axis))));
};

/** Bounds of a Slice along `axis`: `undefined` if the axis is untouched, "computed" if they are not constants. */
export const sliceBounds = (node: Node, axis: number): { readonly start: number; readonly end: number; readonly step: number; readonly entry: number } | "computed" | undefined => {
  const rank = rankOf(node.in(0));
  const [starts, ends, steps] = [constantNumbers(node, 1), constantNumbers(node, 2), constantNumbers(node, 4)];
  const given = constantNumbers(node, 3);
  if (!given && node.optionalIn(3)) return "computed";
  const axes = given?.map((each) => normalAxis(each, rank)) ?? starts?.map((_, index) => index);
  if (!axes) return "computed";
  const entry = axes.indexOf(axis);
  if (entry < 0) return undefined;
  const size = sizeOf(node.in(0), axis);
  if (!starts || !ends || (node.optionalIn(4) && !steps) || Number.isNaN(size)) return "computed";
  const bound = (value: number): number => Math.min(size, Math.max(0, value < 0 ? value + size : value));
  return { start: bound(starts[entry]!), end: bound(ends[entry]!), step: steps?.[entry] ?? 1, entry };
};

/** out[k] is in[start + k] along a sliced axis. */
export const sliceLinks: AxisRule = (node, port) => {
  if (port.side === "in" && port.index > 0) return [];
  const [x, y] = [node.in(0), node.out()];
  const bounds = sliceBounds(node, port.axis);
  if (bounds === "computed") return blocked("its bounds are computed at run time");
  const to = port.side === "in" ? y : x;
  if (!bounds) return [link(to, port.axis)];
  if (bounds.step !== 1) return blocked(`it takes every ${bounds.step}th index of that axis`);
  return [link(to, port.axis, port.side === "in" ? shift(-bounds.start, bounds.end - bounds.start) : shift(bounds.start, sizeOf(x, port.axis)))];
};

/** Input 0 and output 0 share the axis as long as `touched` gives no reason against it. */
const passes = (touched: (node: Node, axis: number) => string | undefined): AxisRule => (node, port) => {
  if (port.side === "in" && port.index > 0) return [];
  const reason = port.index > 0 ? "it makes a second output" : touched(node, port.axis);
  return reason ? blocked(reason) : [link(port.side === "in" ? node.out() : node.in(0), port.axis)];
};

/** Axes 0 and 1 of a pool, in and out; windows slide along the others. */
export const poolLinks = passes((node, axis) =>
  axis > 1 ? "a window slides along that axis" : (node.outputs[1]?.uses.size ?? 0) > 0 ? "its indices count through all channels" : undefined);

/** Pads may grow other axes. */
export const padLinks = passes((node, axis) => {
  const rank = rankOf(node.in(0));
  const pads = node.ints("pads") ?? constantNumbers(node, 1);
  if (!pads) return "its pads are computed at run time";
  const axes = constantNumbers(node, 3)?.map((each) => normalAxis(each, rank)) ?? Array.from({ length: rank }, (_, each) => each);
  const entry = axes.indexOf(axis);
  return entry >= 0 && (pads[entry] !== 0 || pads[entry + axes.length] !== 0) ? "it pads that axis" : undefined;
});

/** Where `sizes` of a Resize names `axis`; -1 where it does not. */
export const resizeEntry = (node: Node, axis: number): number =>
  node.ints("axes")?.map((each) => normalAxis(each, rankOf(node.in(0)))).indexOf(axis) ?? axis;

/** The axis must keep its size; a constant `sizes` input is rewritten. */
export const resizeLinks = passes((node, axis) => {
  if (Number.isNaN(sizeOf(node.in(0), axis)) || sizeOf(node.in(0), axis) !== sizeOf(node.out(), axis)) return "it resizes that axis";
  const entry = resizeEntry(node, axis);
  if (node.optionalIn(3) && entry >= 0 && !canResize(node, 3, entry)) return "its sizes are computed at run time";
  return undefined;
});

export const expandLinks = passes((node, axis) => {
  const [rankIn, rankOut] = [rankOf(node.in(0)), rankOf(node.out())];
  if (rankIn !== rankOut || sizeOf(node.in(0), axis) !== sizeOf(node.out(), axis)) return "it repeats that axis";
  return canResize(node, 1, axis) ? undefined : "its target shape is computed at run time";
});

export const tileLinks = passes((node, axis) => (sizeOf(node.in(0), axis) === sizeOf(node.out(), axis) ? undefined : "it repeats that axis"));

/** Softmax, LogSoftmax, Hardmax: opset 13 normalises one axis, older ones everything from the axis on. */
export const softmaxLinks = passes((node, axis) => {
  const over = normalAxis(node.int("axis", -1), rankOf(node.in(0)));
  return axis === over ? `it normalises over that axis` : undefined;
});

export const cumSumLinks = passes((node, axis) => {
  const over = constantNumbers(node, 1)?.[0];
  return over === undefined || normalAxis(over, rankOf(node.in(0))) === axis ? "it sums along that axis" : undefined;
});

/** Normalised over all axes from `axis` on; the ones before pass. */
export const layerNormLinks = passes((node, axis) =>
  axis >= normalAxis(node.int("axis", -1), rankOf(node.in(0))) ? "it normalises over that axis" : undefined);

/** Axes that are not reduced; without keepdims they move up. */
export const reduceLinks: AxisRule = (node, port) => {
  if (port.side === "in" && port.index > 0) return [];
  const rank = rankOf(node.in(0));
  if (Number.isNaN(rank)) return blocked("the rank of its input is unknown");
  const isArg = node.opType.startsWith("Arg");
  const given = isArg ? [node.int("axis", 0)] : (node.ints("axes") ?? constantNumbers(node, 1));
  if (!given && node.optionalIn(1)) return blocked("its axes are computed at run time");
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const reduced = new Set(given?.length ? given.map((axis) => normalAxis(axis, rank)) : node.int("noop_with_empty_axes", 0) ? [] : all);
  const kept = node.int("keepdims", 1) ? all : all.filter((axis) => !reduced.has(axis));
  const axis = port.side === "in" ? port.axis : kept[port.axis]!;
  if (reduced.has(axis)) return blocked("it reduces that axis");
  return port.side === "in" ? [link(node.out(), kept.indexOf(axis))] : [link(node.in(0), axis)];
};

/** out = data with axis `axis` replaced by the axes of the indices. */
export const gatherLinks: AxisRule = (node, port) => {
  const [data, indices, y] = [node.in(0), node.in(1), node.out()];
  const [axis, added] = [normalAxis(node.int("axis", 0), rankOf(data)), rankOf(indices)];
  if (Number.isNaN(added) || Number.isNaN(axis)) return blocked("the rank of one of its inputs is unknown");
  if (port.side === "in" && port.index === 1) return [link(y, axis + port.axis)];
  if (port.side === "in") {
    if (port.axis === axis) return blocked("it picks indexes of that axis");
    return [link(y, port.axis < axis ? port.axis : port.axis - 1 + added)];
  }
  if (port.axis < axis) return [link(data, port.axis)];
  return port.axis < axis + added ? [link(indices, port.axis - axis)] : [link(data, port.axis + 1 - added)];
};

/** The size of the axis must not become data: every reader may pick other entries only. */
export const shapeLinks: AxisRule = (node, port) => {
  if (port.side === "out") return blocked("it is a shape");
  const rank = rankOf(node.in(0));
  const start = normalAxis(node.int("start", 0), rank);
  const entry = port.axis - start;
  const picksOthers = (reader: Node): boolean => {
    const indexes = reader.opType === "Gather" ? constantNumbers(reader, 1) : undefined;
    if (indexes) return !indexes.some((index) => normalAxis(index, sizeOf(node.out(), 0)) === entry);
    if (reader.opType !== "Slice") return false;
    const bounds = sliceBounds(reader, 0);
    return bounds !== undefined && bounds !== "computed" && (entry < bounds.start || entry >= bounds.end);
  };
  return node.out().readers.every(picksOthers) ? [] : blocked("the size of the axis is read at run time");
};

/** block² pixels move into channels: y channel k·C + c (SpaceToDepth), x channel k·C' + c (DCR) or c·block² + k (CRD). */
export const depthSpaceLinks: AxisRule = (node, port) => {
  const squared = node.int("blocksize", 1) ** 2;
  const [many, few] = node.opType === "SpaceToDepth" ? [node.out(), node.in(0)] : [node.in(0), node.out()];
  const channels = sizeOf(few, 1);
  if (port.axis === 0) return [link(port.side === "in" ? node.out() : node.in(0), 0)];
  if (port.axis !== 1 || Number.isNaN(channels)) return blocked("it moves pixels along that axis");
  const inner = node.opType === "DepthToSpace" && node.string("mode", "DCR") === "CRD";
  const isMany = (port.side === "out") === (many === node.out());
  if (isMany) return [link(few, 1, (index) => [inner ? Math.floor(index / squared) : index % channels])];
  return [link(many, 1, (index) => Array.from({ length: squared }, (_, k) => (inner ? index * squared + k : k * channels + index)))];
};
