import { proveSameOutputs } from "../../detection/same-outputs.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { countMacs } from "../../graph/macs.ts";
import type { Node } from "../../graph/node.ts";
import { isLayerOp } from "../../graph/ops/layers.ts";
import { partOfName } from "../../graph/pattern.ts";
import type { PruneGroup, PruneReport } from "../result.ts";
import { maskedGraph, prunedGraph, type Plan } from "./apply.ts";
import { costModel } from "./costs.ts";
import { findGroups, layerName, type BlockedPart, type Group, type Structure } from "./groups.ts";
import { preparedGraph } from "./prepare.ts";
import { scoreGroups, type Criterion, type Gradients } from "./scores.ts";
import { searchUnits, type SearchOptions } from "./search.ts";

export interface PruneOptions {
  /** Share of the MACs to keep, e.g. 0.6. */
  readonly macs?: number;
  /** Share of the parameters to keep; exactly one of `macs` and `parameters`. */
  readonly parameters?: number;
  readonly criterion?: Criterion;
  readonly allocation?: SearchOptions["allocation"];
  /** Channels are kept in multiples of this; 8. */
  readonly round?: number;
  /** Channels that every group keeps; 8. */
  readonly minChannels?: number;
  /** Largest share of a group's channels that may go; 0.8. */
  readonly maxRemoved?: number;
  /** Cuts on the way to the target, each followed by `recover`; 1. */
  readonly steps?: number;
  /** Layers that keep their channels: a name, a run of its parts ("model.22"), or with `*`. */
  readonly exclude?: readonly string[];
  /** Sizes of symbolic dimensions of the inputs, by name, for counting MACs; a leading one is 1. */
  readonly dims?: Readonly<Record<string, number>>;
  /** dL/dw of each batch, for the Taylor criterion. */
  readonly gradients?: Gradients;
  /** Trains the cut model; `step` counts from 0. */
  readonly recover?: (graph: Graph, step: number) => Promise<Graph>;
  /** mAP (0..1) of a model. */
  readonly evaluate?: (graph: Graph) => Promise<number>;
  readonly onProgress?: (progress: PruneProgress) => void;
  /** What errors call the model; its name in the file. */
  readonly label?: string;
}

export interface PruneProgress {
  readonly step: number;
  readonly steps: number;
  readonly phase: "score" | "cut" | "evaluate" | "recover";
  readonly macs: number;
}

export interface PruneOutcome {
  readonly graph: Graph;
  /** All channels kept, the removed ones unseen (`--save-masked`); with one step only. */
  readonly masked: Graph | undefined;
  readonly report: PruneReport;
}

const tolerance = 0.02;

/**
 * Structured channel pruning to a share of the MACs or parameters, in `steps` cuts with recovery between them. Needs static channel sizes.
 * After each cut the pruned graph is run once beside the masked one. Throws UserError PRUNE_DIFFERS where they disagree, PRUNE_TARGET, NOTHING_TO_PRUNE, PRUNE_STEPS, NO_GRADIENTS, NO_BATCH_NORM, EXCLUDE_UNMATCHED, SHAPE_NOT_STATIC.
 */
export const pruneModel = async (input: Graph, options: PruneOptions): Promise<PruneOutcome> => {
  const { by, ratio } = targetOf(options);
  const steps = options.steps ?? 1;
  if (!Number.isInteger(steps) || steps < 1) throw new UserError("PRUNE_STEPS", `Pruning in ${steps} steps is impossible.`, "give a whole number of steps, 1 or more.");
  let graph = preparedGraph(input);
  const original = countMacs(graph, options.dims);
  if (!(original[by] > 0)) throw nothingToPrune(options.label ?? graph.name, by);
  const before = structureOf(graph, options.exclude);
  const history: NonNullable<PruneReport["steps"]>[number][] = [];
  const scores = new Map<string, number>();
  let masked: Graph | undefined;
  let note: string | undefined;
  for (let step = 0; step < steps; step++) {
    const progress = (phase: PruneProgress["phase"]) => options.onProgress?.({ step, steps, phase, macs: countMacs(graph, options.dims).macs });
    const structure = step === 0 ? before : structureOf(graph = preparedGraph(graph), options.exclude);
    progress("score");
    const share = 1 - ((1 - ratio) * (step + 1)) / steps;
    const cut = await planCut(structure, { by, value: Math.min(original[by] * share, countMacs(graph, options.dims)[by]) }, options);
    for (const [name, score] of cut.scores) scores.set(name, score);
    const unseen = maskedGraph(cut.plan);
    masked = steps === 1 ? unseen : undefined;
    graph = prunedGraph(cut.plan);
    note = [cut.note, cut.plan.units.length > 0 ? await provePruned(unseen, graph, options) : undefined].filter(Boolean).join("; ") || undefined;
    progress("cut");
    const mapBefore = options.evaluate && (progress("evaluate"), await options.evaluate(graph));
    if (options.recover) { progress("recover"); graph = await options.recover(graph, step); }
    const mapAfter = options.evaluate && options.recover ? (progress("evaluate"), await options.evaluate(graph)) : mapBefore;
    history.push({ macs: countMacs(graph, options.dims).macs, ...(mapBefore !== undefined && { mapBefore }), ...(mapAfter !== undefined && { mapAfter }) });
  }
  const after = countMacs(graph, options.dims);
  const report: PruneReport = {
    ...(by === "macs" && { targetMacs: Math.round(original.macs * ratio) }),
    reachedMacs: after.macs, parameters: after.parameters,
    groups: groupReport(before, findGroups(graph), scores), blocked: before.blocked, steps: history,
    ...(note !== undefined && { note }),
  };
  return { graph, masked, report };
};

/** The masked graph keeps the removed channels and does not see them: the pruned one must compute the same. A note where that cannot be tried. */
const provePruned = async (masked: Graph, pruned: Graph, { label = masked.name, dims }: PruneOptions): Promise<string | undefined> =>
  (await proveSameOutputs(masked, pruned, { label, error: pruneDiffers(label), ...(dims && { dims }) })).note;

const pruneDiffers = (label: string) => (differences: readonly string[]): UserError =>
  new UserError("PRUNE_DIFFERS", `The pruned ${label} does not compute what it computes without seeing the removed channels: ${differences.slice(0, 4).join("; ")}.`,
    "nothing was written; leave layers out with --exclude (prune.exclude in a config) until it agrees, and report the model: this is a fault of the pruning rules.");

const nothingToPrune = (label: string, by: "macs" | "parameters"): UserError =>
  new UserError("NOTHING_TO_PRUNE", `${label} has ${by === "macs" ? "no MACs" : "no parameters"}: no layer with weights of which a share could be kept.`,
    "prune a model with Conv, ConvTranspose, Gemm or MatMul layers; edgestill inspect says what a model holds.");

const targetOf = ({ macs, parameters }: PruneOptions): { by: "macs" | "parameters"; ratio: number } => {
  const ratio = macs ?? parameters;
  if (ratio === undefined || (macs !== undefined && parameters !== undefined))
    throw new UserError("PRUNE_TARGET", "Pruning needs one target: a share of the MACs or a share of the parameters.", "give macs: 0.6, or parameters: 0.6.");
  if (!(ratio > 0 && ratio <= 1)) throw new UserError("PRUNE_TARGET", `The pruning target ${ratio} is not a share between 0 and 1.`, "give the share to keep, e.g. 0.6.");
  return { by: macs === undefined ? "parameters" : "macs", ratio };
};

const planCut = async (structure: Structure, target: SearchOptions["target"], options: PruneOptions): Promise<{ plan: Plan; note: string | undefined; scores: Map<string, number> }> => {
  const criterion = options.criterion ?? "l2";
  const scores = await scoreGroups(structure, criterion, options.gradients);
  const cost = costModel(structure.graph, structure.closure, countMacs(structure.graph, options.dims));
  const { removed, note } = searchUnits(scores, cost, {
    target, tolerance, allocation: options.allocation ?? "global", round: options.round ?? 8, minChannels: options.minChannels ?? 8, maxRemoved: options.maxRemoved ?? 0.8,
    price: criterion === "taylor" ? "per-saving" : "mean",
  });
  return { plan: { structure, units: [...removed.values()].flat() }, note, scores: new Map([...removed].map(([group, units]) => [group.name, meanScore(group, units, scores)])) };
};

/** Mean relative score of what was taken: 1 is an average channel of the group. */
const meanScore = (group: Group, units: readonly Group["units"][number][], scores: ReadonlyMap<Group, readonly number[]>): number => {
  const all = scores.get(group)!;
  const of = new Map(group.units.map((unit, index) => [unit, all[index]!]));
  const average = all.reduce((sum, score) => sum + score, 0) / all.length;
  return average > 0 ? units.reduce((sum, unit) => sum + of.get(unit)!, 0) / units.length / average : 1;
};

const structureOf = (graph: Graph, exclude: readonly string[] = []): Structure => findGroups(graph, excludedLayers(graph, exclude));

const channels = ({ units, channelsPerUnit }: Group): number => units.length * channelsPerUnit;

const groupReport = (before: Structure, after: Structure, scores: ReadonlyMap<string, number>): PruneGroup[] => {
  const left = new Map(after.groups.map((group) => [group.name, channels(group)]));
  return before.groups.map((group) => {
    const score = scores.get(group.name);
    return {
      name: group.name, layers: group.layers.map(layerName), channelsBefore: channels(group), channelsAfter: left.get(group.name) ?? channels(group),
      ...(score !== undefined && { score }),
    };
  });
};

/** Layers whose node or weight name matches a pattern. Throws UserError EXCLUDE_UNMATCHED for a pattern without a match. */
const excludedLayers = (graph: Graph, patterns: readonly string[]): Set<Node> => {
  const layers = [...graph.nodes].filter(isLayerOp);
  return new Set(patterns.flatMap((pattern) => {
    const matches = partOfName(pattern);
    const found = layers.filter((node) => [node.name, ...node.inputs.map((value) => value?.name ?? "")].some((name) => matches.test(name)));
    if (found.length === 0) throw unmatchedExclude(pattern, layers);
    return found;
  }));
};

/** Throws UserError EXCLUDE_UNMATCHED for a pattern that names no layer of a model that is to be pruned. */
export const checkExcluded = (graph: Graph, patterns: readonly string[]): void => {
  if (patterns.length > 0) excludedLayers(preparedGraph(graph), patterns);
};

const unmatchedExclude = (pattern: string, layers: readonly Node[]) =>
  new UserError("EXCLUDE_UNMATCHED", `The exclude pattern "${pattern}" matches no layer.`, `layers are named like ${layers.slice(0, 3).map((node) => `"${layerName(node)}"`).join(", ")}; see edgestill inspect.`);

export interface Prunable {
  /** Layers with channels that can be removed, of all layers with weights. */
  readonly layers: number;
  readonly totalLayers: number;
  readonly groups: readonly { readonly name: string; readonly layers: readonly string[]; readonly channels: number }[];
  readonly blocked: readonly BlockedPart[];
}

/** What `pruneModel` could remove from a model, and what stops the rest. */
export const prunable = (input: Graph): Prunable => {
  const { groups, closure, blocked } = findGroups(preparedGraph(input));
  return {
    layers: new Set(groups.flatMap(({ layers }) => layers)).size,
    totalLayers: closure.seeds.length,
    groups: groups.map((group) => ({ name: group.name, layers: group.layers.map(layerName), channels: channels(group) })),
    blocked,
  };
};

/** A student of the given share of the teacher's MACs: its channels sliced evenly by L2 norm, weights kept as the start of training. */
export const deriveStudent = async (teacher: Graph, { macs }: { readonly macs: number }): Promise<{ readonly graph: Graph; readonly report: PruneReport }> => {
  const { graph, report } = await pruneModel(teacher, { macs, criterion: "l2", allocation: "uniform" });
  return { graph, report };
};
