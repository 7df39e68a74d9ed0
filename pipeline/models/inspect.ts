import { whatCannotTrain, type Untrainable } from "../../autodiff/trainable.ts";
import { headFromShapes } from "../../detection/find-head.ts";
import { prepareGraph } from "../../detection/prepare.ts";
import { sizedGraph, type Size } from "../../detection/input-size.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { countMacs } from "../../graph/macs.ts";
import type { Dim, Value } from "../../graph/node.ts";
import { loadModel } from "../../onnx/load.ts";
import { checkTensorrt } from "../../targets/jetson/check/check.ts";
import type { CheckOptions, TensorrtFinding } from "../../targets/jetson/check/finding.ts";
import { describeHead } from "../../vision/heads.ts";
import { prunable } from "../prune/prune.ts";
import { halfNote } from "./editable.ts";

export interface PortFacts {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: readonly Dim[] | null;
}

export interface Inspection {
  readonly parameters: number;
  readonly macs: number;
  readonly sizeBytes: number;
  readonly opset: number;
  readonly inputs: readonly PortFacts[];
  readonly outputs: readonly PortFacts[];
  /** Nodes by op. */
  readonly ops: Readonly<Record<string, number>>;
  readonly trainable: { readonly ok: boolean; readonly blocked: readonly Untrainable[]; readonly reason: string | null };
  readonly prunable: {
    readonly ok: boolean; readonly layers: number; readonly totalLayers: number; readonly groups: number;
    readonly blocked: readonly { readonly node: string; readonly opType: string; readonly reason: string }[]; readonly reason: string | null;
  };
  readonly tensorrt: readonly TensorrtFinding[];
  /** How its outputs are read as a detector's, or why they are not. */
  readonly head: HeadFacts;
  readonly metadata: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** By the file's own words or its shapes; `reading` null where neither tells. */
export interface HeadFacts {
  readonly family: string | null;
  readonly reading: string | null;
  readonly reason: string | null;
}

export interface InspectOptions {
  /** For which TensorRT, and whether on a DLA. */
  readonly tensorrt?: CheckOptions;
  /** Input size [width, height] of a model whose input is dynamic. */
  readonly size?: Size;
}

/** What a model is and what can be done with it. Throws the UserErrors of `loadModel` and `sizedGraph`. */
export const inspectModel = async (path: string, options: InspectOptions = {}): Promise<Inspection> => {
  const loaded = await loadModel(path);
  const sized = await sizedGraph(loaded.graph, { label: path, ...(options.size && { size: options.size }) });
  const { graph } = sized;
  const { macs, parameters } = countMacs(graph);
  const ops = new Map<string, number>();
  for (const { opType, domain } of loaded.graph.nodes) {
    const name = domain === "" ? opType : `${domain}.${opType}`;
    ops.set(name, (ops.get(name) ?? 0) + 1);
  }
  const { prepared, reason } = preparedOrReason(graph);
  return {
    parameters, macs, sizeBytes: loaded.sizeBytes, opset: graph.opset, inputs: loaded.graph.inputs.map(port), outputs: graph.outputs.map(port),
    ops: Object.fromEntries([...ops].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    trainable: trainability(prepared, reason), prunable: prunability(prepared, reason), tensorrt: checkTensorrt(graph, options.tensorrt),
    head: headFacts(graph), metadata: Object.fromEntries(graph.metadata), notes: [...loaded.notes, ...sized.notes, ...halfNote(loaded.graph)],
  };
};

const headFacts = (graph: Graph): HeadFacts => {
  const [, , height, width] = graph.inputs.find(({ shape }) => shape?.length === 4)?.shape ?? [];
  if (typeof height !== "number" || typeof width !== "number") return { family: null, reading: null, reason: "the input is no picture of a fixed size" };
  try {
    const { head, isOwn } = headFromShapes(graph, [width, height]);
    return { family: head.family, reading: `${describeHead(head)}${isOwn ? "" : " (by its shapes; eval, predict and compress check it on a run)"}`, reason: null };
  } catch (error) {
    if (error instanceof UserError) return { family: null, reading: null, reason: error.message };
    throw error;
  }
};

const port = ({ name, dtype, shape }: Value): PortFacts => ({ name, dtype: dtype ?? null, shape: shape ?? null });

const preparedOrReason = (graph: Graph): { readonly prepared?: Graph; readonly reason: string | null } => {
  try {
    return { prepared: prepareGraph(graph), reason: null };
  } catch (error) {
    if (error instanceof UserError) return { reason: error.message };
    throw error;
  }
};

const trainability = (prepared: Graph | undefined, reason: string | null): Inspection["trainable"] => {
  if (!prepared) return { ok: false, blocked: [], reason };
  const blocked = whatCannotTrain(prepared);
  return { ok: blocked.length === 0, blocked, reason: null };
};

const prunability = (prepared: Graph | undefined, reason: string | null): Inspection["prunable"] => {
  const nothing = { ok: false, layers: 0, totalLayers: 0, groups: 0, blocked: [] };
  if (!prepared) return { ...nothing, reason };
  try {
    const { layers, totalLayers, groups, blocked } = prunable(prepared);
    return { ok: layers > 0, layers, totalLayers, groups: groups.length, blocked, reason: null };
  } catch (error) {
    if (error instanceof UserError) return { ...nothing, reason: error.message };
    throw error;
  }
};
