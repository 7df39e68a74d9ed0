import { stopGradient } from "../autodiff/stop-gradient.ts";
import { cornersOfCentres, iouLoss } from "../autodiff/box-losses.ts";
import { bceWithLogits, binaryKlDivergence, binWeights, channelWise, klDivergence, pearson, softmaxCrossEntropy } from "../autodiff/losses.ts";
import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { trainedSlots } from "../graph/ops/layers.ts";
import { Tensor } from "../graph/tensor.ts";
import { anchorPoints, type HeadValues } from "../students/tail.ts";
import { Initializer } from "../students/weights.ts";
import type { TrainingProblem } from "../training/problem.ts";
import { cutHead, headValues, neckFeatures, type TrainableFamily } from "./canonical.ts";
import type { Section } from "./teacher-cache.ts";

export interface ObjectiveOptions {
  readonly family: TrainableFamily;
  readonly classCount: number;
  /** Soft labels in the batches; none trains on hard labels alone. */
  readonly teacher?: { readonly sections: readonly Section[] };
  /** T of Hinton 2015: logits of teacher and student are divided by it, the loss multiplied by T². */
  readonly temperature?: number;
  /** Share of the soft labels, 0..1; 0 without a teacher. */
  readonly alpha?: number;
  /** How the neck's features follow the teacher's, where the sections hold them: channel-wise distillation (Shu 2021) or PKD (Cao 2022). */
  readonly features?: "cwd" | "pkd";
  /** Weights of the terms; defaults are Ultralytics' gains. */
  readonly gains?: Partial<Gains>;
  /** Initializers that are not trained, by predicate on the name. */
  readonly frozen?: (name: string) => boolean;
}

export interface Gains {
  readonly classes: number;
  readonly boxes: number;
  readonly distribution: number;
  readonly features: number;
}

export const defaultGains: Gains = { classes: 0.5, boxes: 7.5, distribution: 1.5, features: 1 };

/** Classes of positives aim at the overlap that the box reaches, but never at less than this: early boxes overlap nothing. */
const minQuality = 0.2;
/** Probabilities are kept this far from 0 and 1 when a teacher's logits are recovered from them. */
const logitMargin = 1e-4;

/**
 * Training problem of a canonical detector (see `canonicalDetector`): its outputs are replaced by the loss.
 * Hard labels: BCE towards the overlap reached (quality, Li 2020), CIoU (Zheng 2020) and DFL on positives.
 * Soft labels: the teacher's class probabilities at temperature T, its boxes by CIoU weighted by its confidence, its distributions by KL (Zheng 2022).
 * loss = (1 - alpha)·hard + alpha·soft (Hinton 2015).
 */
export const detectionObjective = (deployed: Graph, options: ObjectiveOptions): TrainingProblem => {
  const graph = deployed.clone();
  const b = new Builder(graph, "loss");
  const cut = cutHead(graph, options.family);
  const dense = headValues(b, cut);
  const head: HeadValues = dense.objectLogits ? { ...dense, classLogits: jointLogits(b, dense.classLogits, dense.objectLogits) } : dense;
  const gains = { ...defaultGains, ...options.gains };
  const alpha = options.teacher ? (options.alpha ?? 0.5) : 0;
  const metrics = new Map<string, Value>();
  const terms: Value[] = [];
  const collect = (kind: string, share: number, losses: Readonly<Record<string, Value>>) => {
    for (const [name, loss] of Object.entries(losses)) {
      metrics.set(`${kind}.${name}`, loss);
      terms.push(b.mul(loss, share * gains[name as keyof Gains]));
    }
  };
  const corners = cornersOfCentres(b, head.boxes, { axis: 1 });
  if (alpha < 1) collect("hard", 1 - alpha, hardLosses(b, head, corners, cut.size, options.classCount));
  if (alpha > 0) collect("soft", alpha, { ...softLosses(b, head, corners, options), ...featureLosses(b, neckFeatures(cut), options) });
  const loss = terms.reduce((sum, term) => b.add(sum, term));
  graph.outputs.splice(0, graph.outputs.length, loss, ...metrics.values());
  removeDead(graph);
  return { graph, loss, metrics, parameters: trainableParameters(graph, options.frozen) };
};

const hardLosses = (b: Builder, head: HeadValues, corners: Value, size: readonly [number, number], classCount: number): Record<string, Value> => {
  const { graph } = b;
  const anchors = head.boxes.shape![2]!;
  const classes = graph.addInput("hard/classes", "float32", ["N", classCount, anchors]);
  const boxes = graph.addInput("hard/boxes", "float32", ["N", 4, anchors]);
  const weights = graph.addInput("hard/weights", "float32", ["N", 1, anchors]);
  const labelled = graph.addInput("hard/labelled", "float32", ["N", 1, 1]);
  const positives = b.max(b.sum(weights, undefined, false), 1);
  const mean = (loss: Value) => b.div(b.sum(loss, undefined, false), positives);
  const distance = iouLoss(b, corners, boxes, "ciou", { axis: 1 });
  const quality = b.mul(weights, b.max(b.sub(1, stopGradient(b, distance)), minQuality));
  const losses: Record<string, Value> = {
    boxes: mean(b.mul(weights, distance)),
    classes: mean(b.mul(labelled, bceWithLogits(b, head.classLogits, b.mul(classes, quality)))),
  };
  if (head.distribution) losses["distribution"] = mean(b.mul(weights, distributionLoss(b, head.distribution, boxes, size)));
  return losses;
};

/** DFL [N, 1, A]: cross entropy of the two bins beside the true distance, mean over the four sides. `boxes` are corners in pixels. */
const distributionLoss = (b: Builder, distribution: Value, boxes: Value, size: readonly [number, number]): Value => {
  const regMax = Number(distribution.shape?.[2]);
  const { points, strideRow } = anchorPoints(size);
  const count = strideRow.length;
  const stride = b.constant(Tensor.float32([1, 1, count], strideRow));
  const centres = b.constant(Tensor.float32([1, 2, count], points));
  const [from, to] = b.split(b.div(boxes, stride), [2, 2], 1) as [Value, Value];
  const distances = b.op("Clip", [b.concat([b.sub(centres, from), b.sub(to, centres)], 1), b.scalar(0), b.scalar(regMax - 1.01)]);
  const targets = binWeights(b, b.unsqueeze(distances, [2]), regMax, { axis: 2 });
  return b.mean(b.squeeze(softmaxCrossEntropy(b, distribution, targets, { axis: 2 }), [2]), [1]);
};

const softLosses = (b: Builder, head: HeadValues, corners: Value, options: ObjectiveOptions): Record<string, Value> => {
  const { graph } = b;
  const anchors = head.boxes.shape![2]!;
  const temperature = options.temperature ?? 1;
  const scores = graph.addInput("teacher/scores", "float32", ["N", options.classCount, anchors]);
  const boxes = graph.addInput("teacher/boxes", "float32", ["N", 4, anchors]);
  const confidence = b.reduce("ReduceMax", scores, [1]);
  const normalizer = b.max(b.sum(confidence, undefined, false), 1);
  const mean = (loss: Value) => b.div(b.sum(loss, undefined, false), normalizer);
  const losses: Record<string, Value> = {
    classes: mean(binaryKlDivergence(b, head.classLogits, logit(b, scores), { temperature })),
    boxes: mean(b.mul(confidence, iouLoss(b, corners, boxes, "ciou", { axis: 1 }))),
  };
  const section = options.teacher?.sections.find(({ name }) => name === "teacher/distribution");
  if (section && head.distribution) {
    const teacher = graph.addInput(section.name, "float32", ["N", ...section.shape]);
    losses["distribution"] = mean(b.mul(confidence, b.mean(b.squeeze(klDivergence(b, head.distribution, teacher, { axis: 2, temperature }), [2]), [1])));
  }
  return losses;
};

/** Mean over the levels; a 1×1 convolution (in this graph only) brings the student's channels to the teacher's. */
const featureLosses = (b: Builder, student: readonly Value[], { teacher, features }: ObjectiveOptions): Record<string, Value> => {
  if (!features) return {};
  const losses = student.flatMap((feature, level) => {
    const section = teacher?.sections.find(({ name }) => name === `teacher/feature${level}`);
    if (!section) return [];
    const target = b.graph.addInput(section.name, "float32", ["N", ...section.shape]);
    const adapted = adapter(b, feature, section.shape[0]!, `adapter${level}`);
    return [features === "cwd" ? channelWise(b, adapted, target) : pearson(b, adapted, target)];
  });
  return losses.length > 0 ? { features: b.mul(losses.reduce((sum, loss) => b.add(sum, loss)), 1 / losses.length) } : {};
};

const adapter = (b: Builder, feature: Value, channels: number, name: string): Value => {
  const own = Number(feature.shape?.[1]);
  if (own === channels) return feature;
  const weight = b.graph.addInitializer(`${name}.weight`, new Initializer(channels).heNormal([channels, own, 1, 1]));
  return b.op("Conv", [feature, weight], { kernel_shape: [1, 1] });
};

/** Logits beyond this are certain. */
const certainLogit = 20;

/**
 * The logit of σ(class)·σ(object), a YOLOX head's score: −ln(e⁻ᶜ + e⁻ᵒ + e⁻ᶜ⁻ᵒ). With it the losses see one score per class, as deployed,
 * and leave open how the head shares it between its two parts.
 */
const jointLogits = (b: Builder, classes: Value, objects: Value): Value => {
  const bounded = (logits: Value): Value => b.op("Clip", [logits, b.scalar(-certainLogit), b.scalar(certainLogit)]);
  const [c, o] = [b.exp(b.neg(bounded(classes))), b.exp(b.neg(bounded(objects)))];
  return b.neg(b.log(b.add(b.add(c, o), b.mul(c, o))));
};

/** ln(p / (1 - p)), p kept inside (0, 1). */
const logit = (b: Builder, probability: Value): Value => {
  const p = b.op("Clip", [probability, b.scalar(logitMargin), b.scalar(1 - logitMargin)]);
  return b.sub(b.log(p), b.log(b.sub(1, p)));
};

/** The float32 initializer that a slot reads, itself or through a Q/DQ pair (quantization-aware training); undefined for anything computed. */
export const parameterOf = (value: Value | undefined): Value | undefined => {
  const quantize = value?.producer?.opType === "DequantizeLinear" ? value.producer.in(0).producer : null;
  const source = quantize?.opType === "QuantizeLinear" ? quantize.in(0) : value;
  return source?.tensor?.dtype === "float32" && !source.producer ? source : undefined;
};

/** What an optimizer may change: float32 initializers in parameter slots, less the frozen ones. */
export const trainableParameters = (graph: Graph, frozen: (name: string) => boolean = () => false): Value[] => {
  const found = new Set<Value>();
  for (const node of graph.sorted()) {
    for (const slot of trainedSlots(node)) {
      const value = parameterOf(node.optionalIn(slot));
      if (value && !frozen(value.name)) found.add(value);
    }
  }
  return [...found];
};

