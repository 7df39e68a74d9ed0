import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";

/**
 * What to minimise. `graph` holds forward pass and loss; its inputs are the feeds of a batch.
 * A BatchNormalization with a trained scale or shift normalizes with the batch's statistics while training; others stay as they are.
 */
export interface TrainingProblem {
  readonly graph: Graph;
  /** float32 scalar. */
  readonly loss: Value;
  /** float32 scalars that are reported, by name. */
  readonly metrics: ReadonlyMap<string, Value>;
  /** float32 initializers that the optimizer changes. */
  readonly parameters: readonly Value[];
  /** Parameters without weight decay; by default all of rank 0 and 1 (biases, scales and shifts). */
  readonly noDecay?: (parameter: Value) => boolean;
}

/** The same problem for batches of always `batch` rows: inputs with a leading dimension by name get the number. A step of known sizes has fewer nodes. */
export const withBatch = (problem: TrainingProblem, batch: number): TrainingProblem => {
  for (const input of problem.graph.inputs) if (typeof input.shape?.[0] === "string") input.shape = [batch, ...input.shape.slice(1)];
  inferShapes(problem.graph);
  return problem;
};
