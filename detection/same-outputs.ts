import { UserError } from "../graph/error.ts";
import { subgraphsOf, type Graph } from "../graph/graph.ts";
import { usesHalf } from "../rewrite/single-precision.ts";
import { Tensor } from "../graph/tensor.ts";
import { comparableGraphs, compareOutputs, differing, largestDifference, sampleFeeds, type SampleOptions } from "../runtime/compare.ts";
import { runOnce, type Feeds } from "../runtime/session.ts";

/** What a rewritten graph may differ by, relative to the largest value of each output; a float16 original is rounded more. */
const tolerance = { single: 1e-3, half: 2e-2 };

/** The largest difference that was found, or why nothing could be compared. */
export type Proof = { readonly largest: number; readonly note?: undefined } | { readonly largest: undefined; readonly note: string };

export interface ProofOptions extends SampleOptions {
  /** Names the model in errors. */
  readonly label: string;
  /** Made when the outputs differ, from a description of each. */
  readonly error: (differences: readonly string[]) => UserError;
}

/**
 * Runs both graphs once on a photo-like picture and compares every output: `error` where one differs by more than a thousandth, or where the second
 * does not run. A first graph that ONNX Runtime cannot run proves nothing, and the note says so; one of standard operators that it refuses to load is
 * broken, and its SESSION error is thrown.
 */
export const proveSameOutputs = async (before: Graph, after: Graph, { label, error, ...sample }: ProofOptions): Promise<Proof> => {
  const feeds = sampleFeeds(before, sample);
  const [first, second] = comparableGraphs(before, after);
  const expected = await runOrReason(first, feeds, (refused) => isBroken(before, refused));
  if (typeof expected === "string") return { largest: undefined, note: `${label} could not be compared before and after: ${expected}` };
  const actual = await runOrReason(second, feedsOf(second, feeds));
  if (typeof actual === "string") throw error([actual]);
  const differences = compareOutputs(expected, actual);
  const found = differing(differences, usesHalf(before) ? tolerance.half : tolerance.single);
  if (found.length > 0) throw error(found);
  return { largest: largestDifference(differences) };
};

/** Not so where an operator is not the runtime's own, or has no kernel for these types: the model may be made for another runtime. */
const isBroken = (graph: Graph, { code, message }: UserError): boolean =>
  code === "SESSION" && !/find an implementation/.test(message) && !hasForeignOps(graph);

const hasForeignOps = (graph: Graph): boolean =>
  [...graph.nodes].some((node) => node.domain !== "" || subgraphsOf(node).some(hasForeignOps));

/** The feeds in the types of the graph's own inputs: a float16 input may have become float32. */
const feedsOf = (graph: Graph, feeds: Feeds): Feeds =>
  Object.fromEntries(graph.inputs.flatMap(({ name, dtype, tensor }) => {
    const feed = feeds[name];
    if (tensor || !feed) return [];
    return [[name, dtype === undefined || dtype === feed.dtype ? feed : Tensor.from(dtype, feed.shape, feed.toNumbers())]];
  }));

/** The outputs, or what the runtime says against running the graph. */
const runOrReason = async (
  graph: Graph, feeds: Feeds, isFatal: (error: UserError) => boolean = () => false,
): Promise<Record<string, Tensor> | string> => {
  try {
    return await runOnce(graph, feeds);
  } catch (error) {
    if (error instanceof UserError && !isFatal(error)) return error.message;
    throw error;
  }
};

/** A graph that was brought to a newer opset, or to float32, computes something else. */
export const rewriteDiffers = (label: string) => (differences: readonly string[]): UserError =>
  new UserError("REWRITE_DIFFERS", `Bringing ${label} into an editable form (opset 17, float32) changed what it computes: ${differences.slice(0, 4).join("; ")}.`,
    "export the model again with opset 17 or newer, and report the model: this is a fault of the rewrite.");
