import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import type { Tensor } from "../graph/tensor.ts";
import { unpack } from "./flat.ts";
import type { TrainingProblem } from "./problem.ts";
import type { TrainingState } from "./state.ts";
import type { Layouts } from "./step.ts";

/** Trained tensors (weights and running statistics, averaged where the run keeps an average) by the problem's initializer. */
export const trainedTensors = (layouts: Layouts, state: TrainingState): Map<Value, Tensor> => {
  const { vectors } = state;
  const weights = vectors["average"] ?? vectors["weights"]!;
  const statistics = vectors["averageStatistics"] ?? vectors["statistics"];
  return new Map([...unpack(layouts.weights, weights), ...(statistics ? unpack(layouts.statistics, statistics) : [])]);
};

/** A copy of the problem's graph, nodes as they were, that holds the trained tensors. */
export const trainedGraph = (problem: TrainingProblem, tensors: ReadonlyMap<Value, Tensor>): Graph => {
  const twins = new Map<Value, Value>();
  const graph = problem.graph.clone(twins);
  for (const [value, tensor] of tensors) twins.get(value)!.tensor = tensor;
  return graph;
};

/** Writes trained tensors into the initializers of `graph` that have the same name, e.g. of the student that the problem was built from. */
export const writeTensors = (graph: Graph, tensors: ReadonlyMap<string, Tensor>): void => {
  for (const initializer of graph.initializers) {
    const tensor = tensors.get(initializer.name);
    if (!tensor) continue;
    if (initializer.shape?.join() !== tensor.shape.join()) throw new Error(`bug: "${initializer.name}" is [${initializer.shape?.join()}], trained as [${tensor.shape.join()}]`);
    initializer.tensor = tensor;
  }
};
