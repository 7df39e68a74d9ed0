import { basename } from "node:path";
import { cutHead, type TrainableFamily } from "../../detection/canonical.ts";
import { describeDetector, writeContract, type DetectorModel } from "../../detection/detector.ts";
import { provenCanonical, type Rewritten } from "../../detection/proof.ts";
import { readRows } from "../../detection/rows.ts";
import type { Graph } from "../../graph/graph.ts";
import { writeClassNames } from "../../students/metadata.ts";
import { named, proofOptions, runsAsEvaluated, sessionOf, type CheckContext, type Checked } from "./context.ts";

/**
 * A given detector as a student: trainable, with the data's classes, at the wanted size, proven to compute what the
 * file computes. Throws as `provenCanonical`.
 */
export const provenStudent = async (
  path: string,
  model: DetectorModel,
  family: TrainableFamily,
  size: readonly [number, number],
  context: CheckContext,
  what = "student",
): Promise<Checked & { readonly graph: Graph }> =>
  named(path, async () => {
    await runsAsEvaluated(path, model, context);
    const { classes } = context;
    const rows = classes.map((_, index) => index);
    const finish = async (graph: Graph, at: readonly [number, number]): Promise<Rewritten> => {
      const contract = { ...model.contract, size: at };
      writeClassNames(graph, classes);
      writeContract(graph, contract, family);
      const options = { family, classes, preprocess: contract, probe: false };
      const described = await describeDetector(graph, basename(path), options);
      const session = sessionOf(context);
      return { graph, read: (pictures) => readRows(described, pictures, rows, { batch: pictures.length, session }) };
    };
    const proof = proofOptions(what, path, size, context);
    const { rewritten, proofs, notes } = await provenCanonical(model, family, proof, finish);
    return { graph: rewritten.graph, proofs, notes: [...notes, ...leftOut(path, model)] };
  });

const leftOut = (path: string, { graph, head }: DetectorModel): string[] => {
  const others = graph.outputs.filter(({ name }) => !head.outputNames.includes(name)).map(({ name }) => `"${name}"`);
  return others.length > 0 ? [`student: of the outputs of ${basename(path)} ${others.join(", ")} left out`] : [];
};

/** regMax of a head's box distribution; undefined where it has none. */
export const distributionBins = (graph: Graph, family: TrainableFamily): number | undefined => {
  if (family !== "yolov8") return undefined;
  const channels = cutHead(graph, family).levels[0]?.box.shape?.[1];
  return typeof channels === "number" && channels > 4 ? channels / 4 : undefined;
};
