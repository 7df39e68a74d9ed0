import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { closeAxes, type AxisRef, type Block, type Closure } from "./closure.ts";

/** Channels that can only be removed together: the closure of one channel of a layer. */
export interface Unit {
  /** Indexes by axis, ascending. */
  readonly atoms: ReadonlyMap<AxisRef, readonly number[]>;
}

/** Units that touch the same axes in the same way: any of them can go in place of another. */
export interface Group {
  readonly name: string;
  /** Nodes that make the channels. */
  readonly layers: readonly Node[];
  readonly units: readonly Unit[];
  /** Channels of the first layer that one unit removes. */
  readonly channelsPerUnit: number;
}

/** A reason why channels must stay, with the layers that it concerns. */
export interface BlockedPart {
  readonly node: string;
  readonly opType: string;
  readonly reason: string;
  readonly layers: readonly string[];
}

/** What may be removed from a graph, and what may not. */
export interface Structure {
  readonly graph: Graph;
  readonly closure: Closure;
  readonly groups: readonly Group[];
  readonly blocked: readonly BlockedPart[];
}

/** Finds the groups of removable channels of `graph`; `excluded` names layers whose channels stay. Needs static channel sizes and opset >= 13. */
export const findGroups = (graph: Graph, excluded: ReadonlySet<Node> = new Set()): Structure => {
  const closure = closeAxes(graph);
  const units = collectUnits(closure);
  const blocksByUnit = new Map<number, Set<Block>>();
  for (const block of closure.blocks) for (const root of unitsOf(closure, block.at)) entry(blocksByUnit, root, () => new Set<Block>()).add(block);
  const stay = new Set(closure.seeds.filter(({ node }) => excluded.has(node)).flatMap(({ at }) => [...unitsOf(closure, at)]));
  const layersByUnit = new Map<number, Set<Node>>();
  for (const { node, at } of closure.seeds) for (const root of unitsOf(closure, at)) entry(layersByUnit, root, () => new Set<Node>()).add(node);

  const bySignature = new Map<string, number[]>();
  for (const root of layersByUnit.keys())
    if (!blocksByUnit.has(root) && !stay.has(root)) entry(bySignature, signature(units.get(root)!), (): number[] => []).push(root);
  return {
    graph, closure,
    groups: named([...bySignature.values()].map((roots) => makeGroup(closure, roots.map((root) => units.get(root)!), [...layersByUnit.get(roots[0]!)!]))),
    blocked: [...blockedParts(closure.blocks, blocksByUnit, layersByUnit), ...closure.unknown.map(unknownPart)],
  };
};

const entry = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
};

const unitsOf = ({ unitOf }: Closure, { first, size }: AxisRef): Set<number> =>
  new Set(Array.from({ length: size }, (_, index) => unitOf(first + index)));

const collectUnits = ({ axes, unitOf }: Closure): Map<number, Unit> => {
  const units = new Map<number, Map<AxisRef, number[]>>();
  for (const at of axes)
    for (let index = 0; index < at.size; index++)
      entry(entry(units, unitOf(at.first + index), () => new Map<AxisRef, number[]>()), at, (): number[] => []).push(index);
  return new Map([...units].map(([root, atoms]) => [root, { atoms }]));
};

const signature = ({ atoms }: Unit): string => [...atoms].map(([at, indexes]) => `${at.id}x${indexes.length}`).join();

const makeGroup = (closure: Closure, units: readonly Unit[], layers: readonly Node[]): Group => {
  const first = closure.seeds.find(({ node }) => node === layers[0])!.at;
  return { name: layerName(layers[0]!), layers, units, channelsPerUnit: units[0]!.atoms.get(first)?.length ?? 1 };
};

/** Groups that start at the same layer (halves of a Split) are told apart by a number. */
const named = (groups: readonly Group[]): Group[] => {
  const total = new Map<string, number>();
  for (const { name } of groups) total.set(name, (total.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  return groups.map((group) => {
    if (total.get(group.name) === 1) return group;
    const number = (seen.get(group.name) ?? 0) + 1;
    seen.set(group.name, number);
    return { ...group, name: `${group.name}#${number}` };
  });
};

/** The node's name, or its output's where it has none. */
export const layerName = (node: Node): string => node.name || node.out().name;

const unknownPart = (node: Node): BlockedPart =>
  ({ node: layerName(node), opType: node.opType, reason: "its number of output channels is unknown", layers: [layerName(node)] });

const blockedParts = (blocks: readonly Block[], blocksByUnit: ReadonlyMap<number, ReadonlySet<Block>>, layersByUnit: ReadonlyMap<number, ReadonlySet<Node>>): BlockedPart[] => {
  const layers = new Map<string, { block: Block; layers: Set<string> }>();
  const key = ({ name, reason }: Block): string => `${name}\n${reason}`;
  for (const block of blocks) entry(layers, key(block), () => ({ block, layers: new Set<string>() }));
  for (const [root, found] of blocksByUnit)
    for (const block of found) for (const node of layersByUnit.get(root) ?? []) layers.get(key(block))!.layers.add(layerName(node));
  return [...layers.values()].filter(({ layers: names }) => names.size > 0).map(({ block, layers: names }) => ({ node: block.name, opType: block.opType, reason: block.reason, layers: [...names] }));
};
