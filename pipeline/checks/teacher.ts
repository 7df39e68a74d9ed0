import { basename } from "node:path";
import type { DetectorModel } from "../../detection/detector.ts";
import { provenCanonical, type Rewritten } from "../../detection/proof.ts";
import { notFinite, type Rows } from "../../detection/rows.ts";
import {
  runAligned, softGraph, startTeacher, trainableFamily, usualMode, type SoftOptions, type SoftTargets, type TeacherMode,
} from "../../detection/teacher-run.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { letterbox8, toTensor } from "../../vision/preprocess.ts";
import type { Image8, Preprocess } from "../../vision/types.ts";
import { named, proofOptions, runsAsEvaluated, type CheckContext, type Checked } from "./context.ts";

export interface CheckedTeacher extends Checked {
  readonly mode: TeacherMode;
  /** Bins of its box distribution, where it has one. */
  readonly regMax: number | undefined;
}

export interface TeacherNeeds {
  /** The student's input. */
  readonly size: readonly [number, number];
  /** Bins of the student's box distribution, where it is to be distilled. */
  readonly regMax: number | undefined;
  readonly features: boolean;
}

/**
 * How the teacher will be used, tried on two pictures: with its head cut and proven anchor by anchor, or else by its
 * decoded boxes. Throws UserErrors for a teacher that can be used in neither way.
 */
export const checkTeacher = (
  path: string,
  model: DetectorModel,
  needs: TeacherNeeds,
  context: CheckContext,
): Promise<CheckedTeacher> =>
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
    notes.push(...(await decodedTeacher(path, model, needs, context)));
    return { mode: "decoded", regMax: undefined, proofs: [], notes };
  });

const softOptions = ({ size, regMax, features }: TeacherNeeds, { classes, threads }: CheckContext): SoftOptions => ({
  classes,
  size,
  features,
  ...(regMax !== undefined && { regMax }),
  ...(threads !== undefined && { threads }),
});

const provenTeacher = async (
  path: string,
  model: DetectorModel,
  needs: TeacherNeeds,
  context: CheckContext,
): Promise<CheckedTeacher> => {
  const { family } = model.head;
  if (!trainableFamily(family)) throw new Error(`bug: a ${family} teacher is not aligned`);
  const options = softOptions(needs, context);
  let regMax: number | undefined;
  const finish = (graph: Graph, size: readonly [number, number]): Rewritten => {
    const cut = softGraph(graph, family, options);
    ({ regMax } = cut);
    const read = async (pictures: readonly Image8[]): Promise<Rows[]> => {
      const running = await runAligned(cut, options);
      try {
        const soft = await running.targets(networkPictures(pictures, { ...model.contract, size }));
        return rowsOfTargets(soft, pictures.length, context.classes.length);
      } finally {
        await running.close();
      }
    };
    return { graph, read };
  };
  const proof = proofOptions("teacher", path, needs.size, context);
  const { proofs, notes } = await provenCanonical(model, family, proof, finish);
  return { mode: "aligned", regMax, proofs, notes };
};

/** Pictures placed by the contract, [N, 3, H, W]. */
const networkPictures = (pictures: readonly Image8[], contract: Preprocess): Tensor => {
  const [width, height] = contract.size;
  const values = new Float32Array(pictures.length * 3 * width * height);
  for (const [i, picture] of pictures.entries())
    toTensor(letterbox8(picture, contract).data, contract, values, i * 3 * width * height);
  return Tensor.of("float32", [pictures.length, 3, height, width], values);
};

/** [N, C, A] and [N, 4, A] -> rows of each picture. */
const rowsOfTargets = ({ scores, corners }: SoftTargets, count: number, classCount: number): Rows[] =>
  Array.from({ length: count }, (_, n) => {
    const anchors = corners.length / (4 * count);
    const turned = (from: Float32Array, columns: number): Float32Array =>
      Float32Array.from(
        { length: anchors * columns },
        (_value, i) => from[(n * columns + (i % columns)) * anchors + Math.floor(i / columns)]!,
      );
    return { anchors, corners: turned(corners, 4), scores: turned(scores, classCount) };
  });

/** Runs the teacher as the cache will; what is to be said about it. */
const decodedTeacher = async (
  path: string,
  model: DetectorModel,
  needs: TeacherNeeds,
  context: CheckContext,
): Promise<string[]> => {
  const running = await startTeacher(model, "decoded", softOptions(needs, context));
  try {
    const pictures = networkPictures(context.pictures.slice(0, 1), { ...model.contract, size: needs.size });
    const { scores, corners } = await running.targets(pictures);
    if (!scores.every(Number.isFinite) || !corners.every(Number.isFinite)) throw notFinite(path);
  } finally {
    await running.close();
  }
  const [own, wanted] = [model.contract.size, needs.size];
  if (own[0] === wanted[0] && own[1] === wanted[1]) return [];
  return [
    `teacher ${basename(path)} runs at its own ${own.join("x")}: the student's pictures of ${wanted.join("x")} ` +
      "are resampled for it and its boxes scaled back",
  ];
};

/** Why box distributions are not distilled though the config wants it. */
export const distributionNotes = (
  teachers: readonly { readonly name: string; readonly regMax: number | undefined; readonly mode: TeacherMode }[],
  regMax: number | undefined,
): string[] => {
  const [first] = teachers;
  if (regMax === undefined || !first) return [];
  if (teachers.length > 1) return ["box distributions are not distilled: several teachers have no common one"];
  if (first.regMax === regMax) return [];
  const reason =
    first.mode === "decoded"
      ? "the teacher teaches by decoded boxes"
      : first.regMax === undefined
        ? "the teacher's head has none"
        : `the teacher's have ${first.regMax} bins and the student's ${regMax}`;
  return [`box distributions are not distilled: ${reason}`];
};
