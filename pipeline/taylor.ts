import { backward } from "../autodiff/backward.ts";
import { openBatches, type BatchSpec } from "../detection/batches.ts";
import type { TrainableFamily } from "../detection/canonical.ts";
import { detectionObjective } from "../detection/objective.ts";
import { Builder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { openSession } from "../runtime/session.ts";

export interface TaylorOptions {
  readonly family: TrainableFamily;
  readonly batches: BatchSpec;
  readonly temperature: number;
  readonly alpha: number;
  /** How many batches. */
  readonly count: number;
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Labels keep this share at least: a student that equals its teacher has no gradient from soft labels. */
const largestAlpha = 0.5;

/** Calls `visit` with the training loss's gradient by weight matrix or kernel of `graph`, for each of the first batches: what the Taylor criterion needs. */
export const weightGradients = async (graph: Graph, visit: (gradients: ReadonlyMap<Value, Float32Array>) => void, options: TaylorOptions): Promise<void> => {
  const { batches, family } = options;
  const isLabelled = batches.items.some(({ boxes }) => boxes !== null);
  const problem = detectionObjective(graph, {
    family, classCount: batches.classCount, temperature: options.temperature, alpha: isLabelled ? Math.min(options.alpha, largestAlpha) : options.alpha, ...(batches.teacher && { teacher: batches.teacher }),
  });
  const weights = problem.parameters.filter((value) => (value.tensor?.shape.length ?? 0) >= 2);
  const own = new Map(graph.initializers.map((value) => [value.name, value]));
  const b = new Builder(problem.graph, "taylor");
  const gradients = backward(b, problem.loss, weights, { unreached: "zeros" });
  problem.graph.outputs.length = 0;
  const outputs = weights.map((weight, index) => {
    const output = b.op("Identity", [gradients.get(weight)!]);
    output.name = `taylor/${index}`;
    problem.graph.outputs.push(output);
    return { name: output.name, value: own.get(weight.name)! };
  });
  const opened = openBatches(batches);
  const session = await openSession(problem.graph, { ...(options.threads !== undefined && { threads: options.threads }) });
  const total = Math.min(options.count, opened.batchesPerEpoch);
  try {
    for (let index = 0; index < total; index++) {
      options.signal?.throwIfAborted();
      const batch = await opened.batch(0, index);
      const feeds = Object.fromEntries(session.inputs.map(({ name }) => [name, batch[name]!]));
      const results = await session.run(feeds);
      visit(new Map(outputs.map(({ name, value }) => [value, results[name]!.floats])));
      options.onProgress?.(index + 1, total);
    }
  } finally {
    await session.close();
  }
};
