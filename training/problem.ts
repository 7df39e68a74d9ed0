import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";

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
