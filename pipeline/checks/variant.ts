import { agrees, distanceOf, distanceText } from "../../detection/distance.ts";
import { allFinite, readRows } from "../../detection/rows.ts";
import { describeDetector, quietThreads } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { decodeImage } from "../../vision/image.ts";
import type { StageContext } from "../stage.ts";

/**
 * Opens the files of a new variant and runs each on a picture of the validation set. Throws UserError VARIANT_DIFFERS
 * where one does not compute what the graph in memory computes, or no numbers.
 */
export const checkVariant = async (
  paths: readonly string[],
  graph: Graph,
  { name, session }: { readonly name: string; readonly session?: SessionOptions | undefined },
  { plan, loaded: { config } }: Pick<StageContext, "plan" | "loaded">,
): Promise<void> => {
  const { classes, student, val } = plan;
  const [item] = val.items;
  if (!item) return;
  const picture = [await decodeImage(item.path)];
  const model = await describeDetector(graph, name, {
    family: student.family, classes, preprocess: student.contract, probe: false,
  });
  const settings: SessionOptions = {
    ...session,
    extra: { ...quietThreads, ...session?.extra },
    ...(config.threads !== undefined && { threads: config.threads }),
  };
  const classRows = classes.map((_, index) => index);
  const rows = (source: Graph | string) => readRows(model, picture, classRows, { batch: 1, session: settings, source });
  const inMemory = await rows(graph);
  for (const path of paths) {
    const onDisk = await rows(path);
    if (!allFinite(onDisk, student.contract.size)) throw notFinite(path, item.path);
    const distance = distanceOf(inMemory, onDisk);
    if (!agrees(distance)) throw variantDiffers(path, distanceText(distance, classes));
  }
};

const notFinite = (path: string, picture: string): UserError =>
  new UserError(
    "VARIANT_DIFFERS",
    `The file ${path} gives boxes or scores that are no finite numbers on ${picture}.`,
    "the training diverged: lower its learning rate, or start from other weights.",
  );

const variantDiffers = (path: string, difference: string): UserError =>
  new UserError(
    "VARIANT_DIFFERS",
    `The file ${path} does not compute what the trained model computes: ${difference}.`,
    "please report this with the config and the model; nothing was handed over.",
  );
