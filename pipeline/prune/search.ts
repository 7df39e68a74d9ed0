import { UserError } from "../../graph/error.ts";
import type { CostModel } from "./costs.ts";
import type { Group, Unit } from "./groups.ts";

export interface SearchOptions {
  /** What to reach: MACs or parameters of the pruned graph, absolute. */
  readonly target: { readonly by: "macs" | "parameters"; readonly value: number };
  readonly allocation: "global" | "uniform";
  /** Channels that a group keeps are a multiple of this (or all of them). */
  readonly round: number;
  /** Channels that a group keeps at least. */
  readonly minChannels: number;
  /** Largest share of a group's channels that one search may take; keeps one layer from collapsing. */
  readonly maxRemoved: number;
  /** Accepted distance from the target, relative. */
  readonly tolerance: number;
  /** What a block costs in global allocation: the mean of its scores, or (where scores are losses) their sum by what it saves. */
  readonly price?: "mean" | "per-saving";
}

export interface SearchOutcome {
  readonly removed: ReadonlyMap<Group, readonly Unit[]>;
  /** Why the target was missed; undefined where it was reached. */
  readonly note: string | undefined;
}

interface Candidate {
  readonly group: Group;
  /** Units, lowest score first, and their scores. */
  readonly order: readonly { readonly unit: Unit; readonly score: number }[];
  removed: number;
}

/**
 * Takes the cheapest block of units out, again and again, until the target is reached: global allocation by its price (Theis 2018, eq. 9, for the
 * sum by saving), uniform by the share of channels gone half-way through the block. A block that would overshoot by more than the tolerance is left and smaller ones are tried.
 */
export const searchUnits = (scores: ReadonlyMap<Group, readonly number[]>, cost: CostModel, options: SearchOptions): SearchOutcome => {
  const { by, value: target } = options.target;
  const candidates: Candidate[] = [...scores].map(([group, values]) => ({
    group, removed: 0,
    order: group.units.map((unit, index) => ({ unit, score: values[index]! })).sort((a, b) => a.score - b.score),
  }));
  const open = new Set(candidates);
  const full = cost[by];
  if (!(target > 0 && target <= full)) throw impossibleTarget(by, target, full);
  while (cost[by] > target && open.size > 0) {
    const next = cheapest(open, cost, options);
    if (!next) break;
    const units = next.candidate.order.slice(next.candidate.removed, next.candidate.removed + next.count).map(({ unit }) => unit);
    cost.remove(units);
    if (cost[by] < target * (1 - options.tolerance)) {
      cost.restore(units);
      open.delete(next.candidate);
    } else next.candidate.removed += next.count;
  }
  const reached = cost[by];
  return {
    removed: new Map(candidates.filter(({ removed }) => removed > 0).map(({ group, order, removed }) => [group, order.slice(0, removed).map(({ unit }) => unit)])),
    note: Math.abs(reached / target - 1) > options.tolerance ? missed(candidates, reached / full, target / full, options) : undefined,
  };
};

const cheapest = (open: Set<Candidate>, cost: CostModel, options: SearchOptions): { candidate: Candidate; count: number } | undefined => {
  let best: { candidate: Candidate; count: number; price: number } | undefined;
  for (const candidate of [...open]) {
    const count = nextBlock(candidate, options);
    if (count === 0) { open.delete(candidate); continue; }
    const price = priceOf(candidate, count, cost, options);
    if (!best || price < best.price) best = { candidate, count, price };
  }
  return best;
};

const priceOf = ({ order, removed }: Candidate, count: number, cost: CostModel, { allocation, price, target: { by } }: SearchOptions): number => {
  if (allocation === "uniform") return (removed + count / 2) / order.length;
  const block = order.slice(removed, removed + count);
  const harm = block.reduce((sum, { score }) => sum + score, 0);
  if (price !== "per-saving") return harm / count;
  const units = block.map(({ unit }) => unit);
  const before = cost[by];
  cost.remove(units);
  const saving = before - cost[by];
  cost.restore(units);
  return saving > 0 ? harm / saving : Infinity;
};

/** Units to the next allowed number of channels; 0 where the group is at its minimum. */
const nextBlock = ({ group, order, removed }: Candidate, { round, minChannels, maxRemoved }: SearchOptions): number => {
  const perUnit = group.channelsPerUnit;
  const step = round / greatestCommonDivisor(round, perUnit); // units that make a multiple of `round` channels
  const left = order.length - removed;
  const next = Math.ceil(left / step - 1) * step;
  const least = Math.max(Math.ceil(minChannels / perUnit), Math.ceil(order.length * (1 - maxRemoved)), 1);
  return next >= least ? left - next : 0;
};

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)}%`;

const missed = (candidates: readonly Candidate[], reached: number, target: number, options: SearchOptions): string => {
  const what = options.target.by === "macs" ? "MACs" : "parameters";
  const head = `reached ${percent(reached)} of the ${what} instead of ${percent(target)}`;
  if (candidates.length === 0) return `${head}: no layer has channels that may be removed (see blocked)`;
  const atMinimum = candidates.filter((candidate) => nextBlock(candidate, options) === 0).length;
  return `${head}: ${atMinimum} of ${candidates.length} groups are at their minimum (minChannels ${options.minChannels}, at most ${percent(options.maxRemoved)} removed), ` +
    `and the others only shrink by whole blocks (multiples of ${options.round} channels); the remaining layers are blocked or excluded`;
};

const impossibleTarget = (by: string, target: number, full: number) =>
  new UserError("PRUNE_TARGET", `The pruning target of ${(target / full).toFixed(3)} of the ${by} is not between 0 and 1.`, `give a share such as --${by} 0.6.`);
