import { backward } from "../../autodiff/backward.ts";
import { openBatches } from "../../detection/batches.ts";
import type { TrainableFamily } from "../../detection/canonical.ts";
import { detectionObjective, trainableParameters } from "../../detection/objective.ts";
import { Builder } from "../../graph/builder.ts";
import { removeDead } from "../../graph/dead.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { openSession } from "../../runtime/session.ts";
import { withBatch } from "../../training/problem.ts";
import type { LabelledBox, Preprocess } from "../../vision/types.ts";
import type { Config } from "../config-schema.ts";
import { sessionOf, type CheckContext } from "./context.ts";

export interface TrainableStudent {
  readonly graph: Graph;
  readonly family: TrainableFamily;
  readonly contract: Preprocess;
}

/** True where the config trains anything, or needs gradients. */
export const trains = ({ distill, prune, quantize }: Pick<Config, "distill" | "prune" | "quantize">): boolean =>
  distill.epochs > 0 ||
  (quantize?.qat.epochs ?? 0) > 0 ||
  (prune !== undefined &&
    (prune.criterion === "taylor" || prune.recover.epochs > 0 || (prune.recover.finalEpochs ?? 0) > 0));

/**
 * Computes the student's training loss once on two pictures and builds its gradients. Throws UserError NO_GRADIENT,
 * NOTHING_TO_TRAIN, LOSS_NOT_FINITE, and what the runtime refuses: before any training.
 */
export const checkTraining = async (
  { graph, family, contract }: TrainableStudent,
  items: readonly { readonly path: string; readonly boxes: readonly LabelledBox[] | null }[],
  { classes, threads }: CheckContext,
): Promise<string[]> => {
  const labelled = [...items].sort((a, b) => Number(a.boxes === null) - Number(b.boxes === null)).slice(0, 2);
  const problem = withBatch(detectionObjective(graph, { family, classCount: classes.length }), labelled.length);
  if (problem.parameters.length === 0) throw nothingToTrain(graph);
  const opened = openBatches({
    items: labelled, contract, classCount: classes.length, batch: 2, seed: 0, plan: { epochs: 1, count: 0 },
    augment: null, assignment: "atss", teacher: null,
  });
  const batch = await opened.batch(0, 0);
  problem.graph.outputs.splice(0, problem.graph.outputs.length, problem.loss);
  removeDead(problem.graph);
  const session = await openSession(problem.graph, sessionOf({ threads }));
  try {
    const result = await session.run(Object.fromEntries(session.inputs.map(({ name }) => [name, batch[name]!])));
    const loss = result[problem.loss.name]!.floats[0]!;
    if (!Number.isFinite(loss)) throw lossNotFinite(loss);
  } finally {
    await session.close();
  }
  backward(new Builder(problem.graph, "check"), problem.loss, problem.parameters, { unreached: "zeros" });
  return untrained(graph);
};

/** Layers whose weights training cannot change. */
const untrained = (graph: Graph): string[] => {
  const trained = new Set(trainableParameters(graph));
  const layers = [...graph.nodes].filter(({ opType }) => opType === "Conv" || opType === "Gemm");
  const fixed = layers.filter((node) => !trained.has(node.in(1)));
  if (fixed.length === 0) return [];
  const which = `${fixed.length} of ${layers.length} layers, first "${fixed[0]!.name}"`;
  return [`student: ${which}, keep their weights: they are no float32 constants`];
};

const nothingToTrain = (graph: Graph): UserError => {
  const weights = [...graph.nodes].find(({ opType }) => opType === "Conv")?.optionalIn(1);
  return new UserError(
    "NOTHING_TO_TRAIN",
    `The student has no float32 weights to train${weights?.dtype ? `: "${weights.name}" is ${weights.dtype}` : ""}.`,
    "export it with float32 weights (half=False, int8=False).",
  );
};

const lossNotFinite = (loss: number): UserError =>
  new UserError(
    "LOSS_NOT_FINITE",
    `The student's training loss on two pictures of the training set is ${loss}.`,
    "check the student's weights and its preprocess contract.",
  );
