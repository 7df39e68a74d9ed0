import { basename } from "node:path";
import { quietThreads, runDetector, type DetectorModel } from "../../detection/detector.ts";
import type { Proof, ProofOptions } from "../../detection/proof.ts";
import { notFinite } from "../../detection/rows.ts";
import { UserError } from "../../graph/error.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { decode } from "../../vision/decode.ts";
import { decodeImage } from "../../vision/image.ts";
import type { Image8 } from "../../vision/types.ts";

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

/** How every model is run here. */
export const sessionOf = ({ threads }: Pick<CheckContext, "threads">): SessionOptions => ({
  extra: quietThreads,
  ...(threads !== undefined && { threads }),
});

/** Two different pictures to compare models on: the first two, or the only one and its mirror image. */
export const proofPictures = async (items: readonly { readonly path: string }[]): Promise<Image8[]> => {
  const pictures = await Promise.all(items.slice(0, 2).map(({ path }) => decodeImage(path)));
  const [first] = pictures;
  if (!first)
    throw new UserError("NO_PICTURES", "The training set has no pictures.", "give data.train a dataset with pictures.");
  return pictures.length > 1 ? pictures : [first, mirrored(first)];
};

const mirrored = ({ width, height, data, ...rest }: Image8): Image8 => {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      turned.set(data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3), 3 * (y * width + width - 1 - x));
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

export const proofOptions = (
  what: string,
  path: string,
  size: readonly [number, number],
  context: CheckContext,
): ProofOptions => ({
  what,
  label: basename(path),
  classes: context.classes,
  size,
  pictures: context.pictures,
  session: sessionOf(context),
});

/** Runs it once as evaluation will. Throws UserError NOT_FINITE, and what the runtime refuses. */
export const runsAsEvaluated = async (path: string, model: DetectorModel, context: CheckContext): Promise<void> => {
  const running = await runDetector(model, sessionOf(context));
  try {
    const outputs = await running.run(context.pictures.slice(0, 1));
    const { boxes, scores } = decode(model.head, outputs, 0, { scoreThreshold: 0 });
    if (!boxes.every(Number.isFinite) || !scores.every(Number.isFinite)) throw notFinite(path);
  } finally {
    await running.close();
  }
};
