import { basename } from "node:path";
import { backward } from "../autodiff/backward.ts";
import { openBatches } from "../detection/batches.ts";
import { cutHead, type TrainableFamily } from "../detection/canonical.ts";
import { describeDetector, quietThreads, runDetector, writeContract, type DetectorModel } from "../detection/detector.ts";
import { detectionObjective, trainableParameters } from "../detection/objective.ts";
import { provenCanonical, readRows, type Proof, type ProofOptions, type Rewritten, type Rows } from "../detection/proof.ts";
import { runAligned, softGraph, startTeacher, trainableFamily, usualMode, type SoftOptions, type SoftTargets, type TeacherMode } from "../detection/teacher-run.ts";
import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { openSession, type SessionOptions } from "../runtime/session.ts";
import { Tensor } from "../graph/tensor.ts";
import { withBatch } from "../training/problem.ts";
import type { Config } from "./config-schema.ts";
import { writeClassNames } from "../students/metadata.ts";
import { decode } from "../vision/decode.ts";
import { decodeImage } from "../vision/image.ts";
import { letterbox8, toTensor } from "../vision/preprocess.ts";
import type { Image8, LabelledBox, Preprocess } from "../vision/types.ts";

/** What the checks of a plan work with. */
export interface CheckContext {
  readonly classes: readonly string[];
  /** Two different pictures of the training set. */
  readonly pictures: readonly Image8[];
  readonly threads: number | undefined;
}

export interface Checked {
  readonly proofs: readonly Proof[];
  /** One line each. */
  readonly notes: readonly string[];
}

export interface CheckedTeacher extends Checked {
  readonly mode: TeacherMode;
  /** Bins of its box distribution, where it has one. */
  readonly regMax: number | undefined;
}

const sessionOf = ({ threads }: Pick<CheckContext, "threads">): SessionOptions => ({ extra: quietThreads, ...(threads !== undefined && { threads }) });

/** Two different pictures to compare models on: the first two, or the only one and its mirror image. */
export const proofPictures = async (items: readonly { readonly path: string }[]): Promise<Image8[]> => {
  const pictures = await Promise.all(items.slice(0, 2).map(({ path }) => decodeImage(path)));
  const [first] = pictures;
  if (!first) throw new UserError("NO_PICTURES", "The training set has no pictures.", "give data.train a dataset with pictures.");
  return pictures.length > 1 ? pictures : [first, mirrored(first)];
};

const mirrored = ({ width, height, data, ...rest }: Image8): Image8 => {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned.set(data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3), 3 * (y * width + width - 1 - x));
  }
  return { ...rest, width, height, data: turned };
};

/** Runs `work`; a refusal names the file. */
export const named = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError) || error.message.includes(basename(path))) throw error;
    throw new UserError(error.code, `${path}: ${error.message}`, error.nextStep, { cause: error });
  }
};

/** A given detector as a student: trainable, with the data's classes, at the wanted size, proven to compute what the file computes. Throws as `provenCanonical`. */
export const provenStudent = async (path: string, model: DetectorModel, family: TrainableFamily, size: readonly [number, number], context: CheckContext, what = "student"): Promise<Checked & { readonly graph: Graph }> =>
  named(path, async () => {
    await runsAsEvaluated(path, model, context);
    const { classes } = context;
    const finish = async (graph: Graph, at: readonly [number, number]): Promise<Rewritten> => {
      const contract = { ...model.contract, size: at };
      writeClassNames(graph, classes);
      writeContract(graph, contract, family);
      const described = await describeDetector(graph, basename(path), { family, classes, preprocess: contract });
      return { graph, read: (pictures) => readRows(described, pictures, classes.map((_, index) => index), { batch: pictures.length, session: sessionOf(context) }) };
    };
    const { rewritten, proofs, notes } = await provenCanonical(model, family, proofOptions(what, path, size, context), finish);
    return { graph: rewritten.graph, proofs, notes: [...notes, ...leftOut(path, model)] };
  });

const proofOptions = (what: string, path: string, size: readonly [number, number], context: CheckContext): ProofOptions =>
  ({ what, label: basename(path), classes: context.classes, size, pictures: context.pictures, session: sessionOf(context) });

const leftOut = (path: string, { graph, head }: DetectorModel): string[] => {
  const others = graph.outputs.filter(({ name }) => !head.outputNames.includes(name)).map(({ name }) => `"${name}"`);
  return others.length > 0 ? [`student: output${others.length > 1 ? "s" : ""} ${others.join(", ")} of ${basename(path)} ${others.length > 1 ? "are" : "is"} left out`] : [];
};

/** Runs the detector once as evaluation will. Throws UserError INPUT_TYPE, BATCH_IS_FIXED, NOT_FINITE, and what the runtime refuses. */
const runsAsEvaluated = async (path: string, model: DetectorModel, context: CheckContext): Promise<void> => {
  const outputs = await firstOutputs(model, context).catch((error: unknown) => { throw refusedInput(path, model) ?? error; });
  const { boxes, scores } = decode(model.head, outputs, 0, { scoreThreshold: 0 });
  if (!boxes.every(Number.isFinite) || !scores.every(Number.isFinite)) {
    throw new UserError("NOT_FINITE", `${path} gives boxes or scores that are no finite numbers on a picture of the training set.`, "check the model's export: run it in the framework that it comes from.");
  }
};

const firstOutputs = async (model: DetectorModel, context: CheckContext) => {
  const running = await runDetector(model, sessionOf(context));
  try {
    return await running.run(context.pictures.slice(0, 1));
  } finally {
    await running.close();
  }
};

/** What of the model's input explains that it cannot be run. */
const refusedInput = (path: string, { graph: { inputs } }: DetectorModel): UserError | undefined => {
  const [input] = inputs.filter(({ tensor }) => !tensor);
  const [batch] = input?.shape ?? [];
  if (input?.dtype !== undefined && input.dtype !== "float32") {
    return new UserError("INPUT_TYPE", `${path} takes ${input.dtype} pictures; pictures are given as float32.`, "export the model with a float32 input (half=False, no built-in preprocessing).");
  }
  if (typeof batch === "number" && batch > 1) {
    return new UserError("BATCH_IS_FIXED", `${path} takes ${batch} pictures at a time, neither fewer nor more.`, "export the model with a dynamic batch axis or with batch size 1.");
  }
  return undefined;
};

export interface TeacherNeeds {
  /** The student's input. */
  readonly size: readonly [number, number];
  /** Bins of the student's box distribution, where it is to be distilled. */
  readonly regMax: number | undefined;
  readonly features: boolean;
}

/**
 * How the teacher will be used, tried on two pictures: with its head cut and proven anchor by anchor, or else by its decoded boxes. Throws UserErrors for a
 * teacher that can be used in neither way.
 */
export const checkTeacher = (path: string, model: DetectorModel, needs: TeacherNeeds, context: CheckContext): Promise<CheckedTeacher> =>
  named(path, async () => {
    await runsAsEvaluated(path, model, context);
    const notes: string[] = [];
    if (usualMode(model) === "aligned") {
      try {
        return await provenTeacher(path, model, needs, context);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        notes.push(`teacher ${basename(path)} teaches by its decoded boxes, not anchor by anchor: ${error.message}`);
      }
    }
    return { mode: "decoded", regMax: undefined, proofs: [], notes: [...notes, ...(await decodedTeacher(path, model, needs, context))] };
  });

const softOptions = ({ size, regMax, features }: TeacherNeeds, { classes, threads }: CheckContext): SoftOptions =>
  ({ classes, size, features, ...(regMax !== undefined && { regMax }), ...(threads !== undefined && { threads }) });

const provenTeacher = async (path: string, model: DetectorModel, needs: TeacherNeeds, context: CheckContext): Promise<CheckedTeacher> => {
  const { family } = model.head;
  if (!trainableFamily(family)) throw new Error(`bug: a ${family} teacher is not aligned`);
  const options = softOptions(needs, context);
  let regMax: number | undefined;
  const finish = (graph: Graph, size: readonly [number, number]): Rewritten => {
    const soft = softGraph(graph, family, options);
    ({ regMax } = soft);
    const read = async (pictures: readonly Image8[]): Promise<Rows[]> => {
      const running = await runAligned(soft, options);
      try {
        return rowsOfTargets(await running.targets(networkPictures(pictures, { ...model.contract, size })), pictures.length, context.classes.length);
      } finally {
        await running.close();
      }
    };
    return { graph, read };
  };
  const { proofs, notes } = await provenCanonical(model, family, proofOptions("teacher", path, needs.size, context), finish);
  return { mode: "aligned", regMax, proofs, notes };
};

/** Pictures placed by the contract, [N, 3, H, W]. */
const networkPictures = (pictures: readonly Image8[], contract: Preprocess): Tensor => {
  const [width, height] = contract.size;
  const values = new Float32Array(pictures.length * 3 * width * height);
  for (const [i, picture] of pictures.entries()) toTensor(letterbox8(picture, contract).data, contract, values, i * 3 * width * height);
  return Tensor.of("float32", [pictures.length, 3, height, width], values);
};

/** [N, C, A] and [N, 4, A] -> rows of each picture. */
const rowsOfTargets = ({ scores, corners }: SoftTargets, count: number, classCount: number): Rows[] =>
  Array.from({ length: count }, (_, n) => {
    const anchors = corners.length / (4 * count);
    const turned = (from: Float32Array, columns: number): Float32Array =>
      Float32Array.from({ length: anchors * columns }, (_value, i) => from[(n * columns + (i % columns)) * anchors + Math.floor(i / columns)]!);
    return { anchors, corners: turned(corners, 4), scores: turned(scores, classCount) };
  });

/** Runs the teacher as the cache will; what is to be said about it. */
const decodedTeacher = async (path: string, model: DetectorModel, needs: TeacherNeeds, context: CheckContext): Promise<string[]> => {
  const running = await startTeacher(model, "decoded", softOptions(needs, context));
  try {
    const soft = await running.targets(networkPictures(context.pictures.slice(0, 1), { ...model.contract, size: needs.size }));
    if (!soft.scores.every(Number.isFinite) || !soft.corners.every(Number.isFinite)) {
      throw new UserError("NOT_FINITE", `${path} gives boxes or scores that are no finite numbers on a picture of the training set.`, "check the model's export: run it in the framework that it comes from.");
    }
  } finally {
    await running.close();
  }
  const [own, wanted] = [model.contract.size, needs.size];
  return own[0] === wanted[0] && own[1] === wanted[1] ? [] : [`teacher ${basename(path)} runs at its own ${own.join("x")}: the student's pictures of ${wanted.join("x")} are resampled for it and its boxes scaled back`];
};

/** What of the wanted distillation does not take place, one line each. Throws UserError where the config asks for what the teachers cannot give. */
export const distributionNotes = (teachers: readonly { readonly name: string; readonly regMax: number | undefined; readonly mode: TeacherMode }[], regMax: number | undefined): string[] => {
  const [first] = teachers;
  if (regMax === undefined || !first) return [];
  if (teachers.length > 1) return ["box distributions are not distilled: several teachers have no common one"];
  if (first.regMax === regMax) return [];
  const reason = first.mode === "decoded" ? "the teacher teaches by decoded boxes" : first.regMax === undefined ? "the teacher's head has none" : `the teacher's have ${first.regMax} bins and the student's ${regMax}`;
  return [`box distributions are not distilled: ${reason}`];
};

/** regMax of a head's box distribution; undefined where it has none. */
export const distributionBins = (graph: Graph, family: TrainableFamily): number | undefined => {
  if (family !== "yolov8") return undefined;
  const channels = cutHead(graph, family).levels[0]?.box.shape?.[1];
  return typeof channels === "number" && channels > 4 ? channels / 4 : undefined;
};

export interface TrainableStudent {
  readonly graph: Graph;
  readonly family: TrainableFamily;
  readonly contract: Preprocess;
}

/** True where the config trains anything, or needs gradients. */
export const trains = ({ distill, prune, quantize }: Pick<Config, "distill" | "prune" | "quantize">): boolean =>
  distill.epochs > 0 || (quantize?.qat.epochs ?? 0) > 0
  || (prune !== undefined && (prune.criterion === "taylor" || prune.recover.epochs > 0 || (prune.recover.finalEpochs ?? 0) > 0));

/**
 * Builds the student's training step and computes its loss once on two pictures. Throws UserError NO_GRADIENT, NOTHING_TO_TRAIN, LOSS_NOT_FINITE,
 * and what the runtime refuses: before any training.
 */
export const checkTraining = async ({ graph, family, contract }: TrainableStudent, items: readonly { readonly path: string; readonly boxes: readonly LabelledBox[] | null }[], { classes, threads }: CheckContext): Promise<string[]> => {
  const labelled = [...items].sort((a, b) => Number(a.boxes === null) - Number(b.boxes === null)).slice(0, 2);
  const problem = withBatch(detectionObjective(graph, { family, classCount: classes.length }), labelled.length);
  if (problem.parameters.length === 0) throw nothingToTrain(graph);
  const opened = openBatches({ items: labelled, contract, classCount: classes.length, batch: 2, seed: 0, plan: { epochs: 1, count: 0 }, augment: null, assignment: "atss", teacher: null });
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
  return fixed.length > 0 ? [`student: ${fixed.length} of ${layers.length} layers keep their weights (they are no float32 constants), first "${fixed[0]!.name}"`] : [];
};

const nothingToTrain = (graph: Graph): UserError => {
  const weights = [...graph.nodes].find(({ opType }) => opType === "Conv")?.optionalIn(1);
  return new UserError("NOTHING_TO_TRAIN", `The student has no float32 weights to train${weights?.dtype ? `: "${weights.name}" is ${weights.dtype}` : ""}.`, "export it with float32 weights (half=False, int8=False).");
};

const lossNotFinite = (loss: number): UserError =>
  new UserError("LOSS_NOT_FINITE", `The student's training loss on two pictures of the training set is ${loss}.`, "check the student's weights and its preprocess contract.");
