import type { StageContext, Stage, StageOutcome, VariantFile } from "../stage.ts";
import { saveVariant } from "../variant-files.ts";
import type { DistillConfig } from "../config-schema.ts";
import { serializeModel } from "../../onnx/save.ts";
import { hashOf } from "../hash.ts";
import { defaultLearningRate } from "../learning-rate.ts";
import type { Plan } from "../plan.ts";
import type { Choice, TrainingPoint } from "../result.ts";

/** Trains the student: as `baseline` on labels alone, as `distilled` with the teacher, both with the same budget. */
export const distillStage: Stage<"distill"> = {
  name: "distill",
  identity: ({ loaded: { config }, plan, trainer }) => ({
    trainer: trainer.identity, student: hashOf(serializeModel(plan.student.graph)), epochs: config.distill.epochs, learningRate: rateOf(config.distill, plan),
    warmupEpochs: config.distill.warmupEpochs, baseline: config.distill.baseline, origin: plan.student.origin,
  }),
  run: async (context) => {
    const { loaded: { config }, plan } = context;
    const variants: VariantFile[] = [];
    const teacher = context.variants.find(({ stage }) => stage === "teacher");
    const given = plan.student.origin !== "fresh" ? await saveStudent(context, "from" in config.student ? teacher : undefined) : undefined;
    if (given) variants.push(given);
    if (config.distill.epochs === 0) return { variants, report: { notes: ["the student was not trained: distill.epochs is 0"] } };
    return trainBoth(context, variants, given, teacher);
  },
};

/** A student that has weights already is a variant of its own: what training starts from. */
const saveStudent = (context: StageContext, parent: VariantFile | undefined): Promise<VariantFile> =>
  saveVariant(context, { name: "student", stage: "student", parent, graph: context.plan.student.graph, keepTrainable: true });

const trainBoth = async (context: StageContext, variants: VariantFile[], given: VariantFile | undefined, teacher: VariantFile | undefined): Promise<StageOutcome<"distill">> => {
  const { loaded: { config: { distill } }, plan, trainer } = context;
  const choices: Choice[] = [];
  const curves: { baseline?: readonly TrainingPoint[]; distilled?: readonly TrainingPoint[] } = {};
  const notes: string[] = [];
  const budget = { graph: plan.student.graph, epochs: distill.epochs, learningRate: rateOf(distill, plan), warmupEpochs: distill.warmupEpochs, fresh: plan.student.origin === "fresh" };
  const hasTeacher = teacher !== undefined && distill.alpha > 0;
  const hasLabels = plan.train.items.some(({ boxes }) => boxes !== null);
  if (!hasTeacher || (distill.baseline && hasLabels)) {
    const { graph, curve, choice } = await trainer.train({ ...budget, name: "baseline", teacher: false });
    variants.push(await saveVariant(context, { name: "baseline", stage: "baseline", parent: given, graph, keepTrainable: true }));
    curves.baseline = curve;
    choices.push(choice);
  }
  if (hasTeacher) {
    const { graph, curve, choice } = await trainer.train({ ...budget, name: "distilled", teacher: true });
    variants.push(await saveVariant(context, { name: "distilled", stage: "distilled", parent: given ?? teacher, graph, keepTrainable: true }));
    curves.distilled = curve;
    choices.push(choice);
  } else notes.push("no teacher: plain supervised training");
  if (distill.baseline && hasTeacher && !hasLabels) notes.push("no baseline: the training set has no labels");
  return { variants, report: { curves, choices, notes } };
};

const rateOf = ({ learningRate }: DistillConfig, { student }: Plan): number => learningRate ?? defaultLearningRate[student.origin];
