import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { count } from "../../report/figures.ts";
import { lazyTask } from "../progress.ts";
import { defaultRecoveryRate } from "../learning-rate.ts";
import type { Plan } from "../plan.ts";
import type { Choice, TrainingPoint } from "../result.ts";
import type { Stage, StageContext } from "../stage.ts";
import { weightGradients } from "../taylor.ts";
import { loadVariant, saveVariant } from "../variant-files.ts";
import type { PruneConfig } from "../config-schema.ts";
import { pruneModel, type PruneProgress } from "./prune.ts";
import type { Gradients } from "./scores.ts";

/** Batches that the Taylor criterion averages its gradients over. */
const taylorBatches = 24;

const phaseWords: Readonly<Record<PruneProgress["phase"], string>> = { score: "scoring channels of", cut: "cut to", evaluate: "measuring mAP at", recover: "recovering at" };

/** Cuts the last float variant to the target, with recovery (the same training, shorter) after each cut. */
export const pruneStage: Stage<"prune"> = {
  name: "prune",
  identity: ({ loaded: { config }, plan, trainer }) => config.prune && { trainer: trainer.identity, prune: config.prune, learningRate: rateOf(config.prune, plan) },
  run: async (context) => {
    const options = context.loaded.config.prune!;
    const source = context.variants.findLast(({ stage }) => stage === "distilled" || stage === "baseline" || stage === "student");
    if (!source) throw new UserError("NOTHING_TO_PRUNE", "There is no student to prune.", "give a student and let distill run first.");
    const recovery: Recovery = { curve: [], choices: [] };
    const { macs, parameters, criterion, allocation, round, steps, exclude } = options;
    const { graph, report } = await pruneModel(await loadVariant(context.runFolder, source, "trainable"), {
      ...(macs !== undefined && { macs }), ...(parameters !== undefined && { parameters }), criterion, allocation, round, steps, exclude,
      gradients: (current, visit) => gradientsOf(context, current, visit),
      evaluate: (current) => context.measureMap(current, "pruned"),
      ...((options.recover.epochs > 0 || (options.recover.finalEpochs ?? 0) > 0) && { recover: (current: Graph, step: number) => recover(context, options, current, step, recovery) }),
      onProgress: ({ step, steps: total, phase, macs: now }) => context.reporter.line(`prune step ${step + 1}/${total}: ${phaseWords[phase]} ${count(now)} MACs`),
    });
    if (report.note !== undefined) context.reporter.warn(`pruning ${report.note}`);
    const pruned = await saveVariant(context, { name: "pruned", stage: "pruned", parent: source, graph, keepTrainable: true });
    return { variants: [pruned], report: { ...report, recovery: recovery.curve, choices: recovery.choices } };
  },
};

interface Recovery {
  readonly curve: TrainingPoint[];
  readonly choices: Choice[];
}

const rateOf = ({ recover: { learningRate } }: PruneConfig, { student }: Plan): number => learningRate ?? defaultRecoveryRate[student.origin];

const recover = async ({ trainer, plan }: StageContext, options: PruneConfig, graph: Graph, step: number, recovery: Recovery): Promise<Graph> => {
  const { recover: { epochs: each, finalEpochs }, steps } = options;
  const epochs = step === steps - 1 ? (finalEpochs ?? each) : each;
  if (epochs === 0) return graph;
  const trained = await trainer.train({
    name: steps > 1 ? `recovery-${step + 1}` : "recovery", graph, epochs, learningRate: rateOf(options, plan), warmupEpochs: Math.min(1, epochs / 4), teacher: true,
  });
  const last = recovery.curve.at(-1);
  recovery.choices.push(trained.choice);
  const points = last ? trained.curve.filter(({ epoch }) => epoch > 0) : trained.curve; // the start of a later step has the same epoch as the end of the one before
  recovery.curve.push(...points.map((point) => ({ ...point, epoch: point.epoch + (last?.epoch ?? 0), step: point.step + (last?.step ?? 0) })));
  return trained.graph;
};

const gradientsOf = async ({ plan, trainer, loaded: { config }, reporter, signal }: StageContext, graph: Graph, visit: Parameters<Gradients>[1]): Promise<void> => {
  const { distill } = config;
  const teacher = plan.teachers.length > 0 && distill.alpha > 0;
  const batches = await trainer.batches({ epochs: 1, count: teacher ? distill.variants : 0 }, teacher);
  const task = lazyTask(reporter, "gradients for the Taylor criterion", "batch");
  try {
    await weightGradients(graph, visit, {
      family: plan.student.family, batches, temperature: distill.temperature, alpha: distill.alpha, count: taylorBatches, onProgress: task.update, signal,
      ...(config.threads !== undefined && { threads: config.threads }),
    });
  } finally {
    task.end();
  }
};
