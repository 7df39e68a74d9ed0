import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { resizeInput } from "../rewrite/resize.ts";
import type { SessionOptions } from "../runtime/session.ts";
import type { Image8 } from "../vision/types.ts";
import { anotherStudent, canonicalDetector, type TrainableFamily } from "./canonical.ts";
import { describeDetector, type DetectorModel } from "./detector.ts";
import { agrees, distanceOf, distanceText, short, type Distance } from "./distance.ts";
import { classMapping } from "./evaluate.ts";
import { prepareGraph } from "./prepare.ts";
import { allFinite, notFinite, readRows, type Rows } from "./rows.ts";

/** A rewritten model was compared with the one that it was made from. */
export interface Proof {
  /** What was rewritten, as a sentence begins: "student". */
  readonly what: string;
  /** File that it was compared with. */
  readonly model: string;
  readonly size: readonly [number, number];
  readonly pictures: number;
  readonly boxPixels: number;
  readonly score: number;
}

/** A rewritten detector at some input size, and what it says of pictures when they come as one batch. */
export interface Rewritten {
  readonly graph: Graph;
  readonly read: (pictures: readonly Image8[]) => Promise<Rows[]>;
}

export interface ProofOptions {
  /** Sentences begin with it: "student". */
  readonly what: string;
  /** File name in messages. */
  readonly label: string;
  readonly classes: readonly string[];
  /** Input size that is wanted. */
  readonly size: readonly [number, number];
  /** Two or more different pictures. */
  readonly pictures: readonly Image8[];
  readonly session?: SessionOptions;
}

export interface Proven {
  readonly rewritten: Rewritten;
  readonly proofs: readonly Proof[];
  readonly notes: readonly string[];
}

/**
 * Brings a dense detector into its trainable form at the wanted size, `finish`ed by the caller, and proves it: at the
 * model's own size, in a batch, it gives what the model gives for each picture alone; at another size what the model
 * resized as a whole gives. Throws the UserErrors of `canonicalDetector`, NOT_FINITE, HEAD_DIFFERS where the two are
 * apart.
 */
export const provenCanonical = async (
  model: DetectorModel,
  family: TrainableFamily,
  options: ProofOptions,
  finish: (graph: Graph, size: readonly [number, number]) => Rewritten | Promise<Rewritten>,
): Promise<Proven> => {
  const { classes, size, pictures, session } = options;
  const mapping = classMapping(model.classes, classes);
  const classRows = classes.map((_, index) => mapping.indexOf(index));
  const prepared = prepareGraph(model.graph);
  const [output] = model.head.outputNames;
  const at = async (wanted: readonly [number, number]): Promise<Rewritten> =>
    finish(
      canonicalDetector(prepared, family, {
        size: wanted,
        classRows,
        classCount: model.head.classCount,
        ...(output !== undefined && { output }),
      }),
      wanted,
    );
  const alone = { batch: 1, ...(session && { session }) };
  const proofs: Proof[] = [];
  const compare = async (given: DetectorModel, rewritten: Rewritten): Promise<void> => {
    const [rows, others] = [await readRows(given, pictures, classRows, alone), await rewritten.read(pictures)];
    proofs.push(proven(options, given.contract.size, rows, others));
  };
  const own = await at(model.contract.size);
  await compare(model, own);
  if (size[0] === model.contract.size[0] && size[1] === model.contract.size[1])
    return { rewritten: own, proofs, notes: [] };
  const rewritten = await at(size);
  const whole = await resizedWhole(model, prepared, options);
  if (whole instanceof UserError) {
    const rows = await rewritten.read(pictures);
    if (!allFinite(rows, size)) throw notFinite(`The ${options.what} ${options.label}`);
    return { rewritten, proofs, notes: [unproven(options, whole)] };
  }
  await compare(whole, rewritten);
  return { rewritten, proofs, notes: [] };
};

/** The model with its own tail at the wanted size, or why that cannot be. */
const resizedWhole = async (
  model: DetectorModel,
  prepared: Graph,
  { size, label }: ProofOptions,
): Promise<DetectorModel | UserError> => {
  try {
    const { graph } = resizeInput(prepared, { width: size[0], height: size[1] });
    const contract = { ...model.contract, size };
    const head = { ...model.head, size };
    return await describeDetector(graph, label, { head, classes: model.classes, preprocess: contract });
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
};

const proven = (
  options: ProofOptions,
  size: readonly [number, number],
  given: readonly Rows[],
  rewritten: readonly Rows[],
): Proof => {
  if (!allFinite(given, size)) throw notFinite(`The ${options.what} ${options.label}`);
  const distance = distanceOf(given, rewritten);
  if (!agrees(distance)) throw headDiffers(options, size, distance);
  return {
    what: options.what,
    model: options.label,
    size,
    pictures: given.length,
    boxPixels: distance.boxPixels,
    score: distance.score,
  };
};

/** A proof in one line, as people read it. */
export const proofLine = ({ what, model, size, boxPixels, score }: Proof): string =>
  `${what} equals ${model} at ${size.join("x")}: boxes within ${short(boxPixels)} px, scores within ${short(score)}`;

const unproven = ({ what, label, size }: ProofOptions, reason: UserError): string =>
  `${what} ${label}: at ${size.join("x")} its head is proven by its form alone, ` +
  `since the model as a whole cannot be brought there (${reason.message})`;

const headDiffers = (
  { what, label, classes }: ProofOptions,
  size: readonly [number, number],
  distance: Distance,
): UserError =>
  new UserError(
    "HEAD_DIFFERS",
    `The ${what} made from ${label} does not compute what the file computes, on real pictures of ${size.join("x")}: ` +
      `${distanceText(distance, classes)}. Its head is built in a way that cannot be rebuilt for training.`,
    anotherStudent,
  );
