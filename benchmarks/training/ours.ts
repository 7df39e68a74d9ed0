import { performance } from "node:perf_hooks";
import { Tensor } from "../../graph/tensor.ts";
import { sgd, type TrainingOptions } from "../../training/options.ts";
import type { TrainingProblem } from "../../training/problem.ts";
import { openTraining } from "../../training/session.ts";
import { buildStep, initialVectors, layoutsOf, nextPort, port } from "../../training/step.ts";
import type { Trainer } from "./peer.ts";

export interface OursOptions {
  readonly threads: number;
  readonly profilePrefix?: string;
}

const training: TrainingOptions = {
  epochs: 1, schedule: { kind: "constant", finalRatio: 1 },
  optimizer: sgd({ learningRate: 1e-4, momentum: 0.9 }),
};

/** The step graph of training/, opened as the trainer opens it, in a session of this process, fed with one fixed batch. */
export const startOurs = async (problem: TrainingProblem, options: OursOptions): Promise<Trainer> => {
  const layouts = layoutsOf(problem, training);
  const graph = buildStep(problem, training, layouts);
  const session = await openTraining(graph, options.threads, options.profilePrefix === undefined ? {} : { profilePrefix: options.profilePrefix });
  let vectors = initialVectors(layouts, training);
  const shape = problem.graph.inputs[0]!.staticShape!;
  const images = Tensor.float32(shape, Float32Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, (_, i) => (Math.sin(i * 12.9898) + 1) / 2));
  const step = async (): Promise<number> => {
    const feeds = Object.fromEntries(Object.entries(vectors).map(([name, tensor]) => [port(name), tensor]));
    const results = await session.run({ ...feeds, [problem.graph.inputs[0]!.name]: images, [port("learningRate")]: Tensor.float32([], [1e-4]) });
    vectors = Object.fromEntries(Object.keys(vectors).map((name) => [name, results[nextPort(name)]!]));
    return results[port("loss")]!.floats[0]!;
  };
  return {
    name: "Edgestill",
    steps: async (count) => {
      const seconds: number[] = [];
      let loss = NaN;
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        loss = await step();
        seconds.push((performance.now() - start) / 1000);
      }
      return { seconds, loss, peakBytes: process.resourceUsage().maxRSS * 1024 };
    },
    close: () => session.close(),
  };
};
