import { Option, type Command } from "commander";
import {
  boxForms,
  coordinateKinds,
  headFamilies,
  type BoxForm,
  type Coordinates,
  type HeadFamily,
} from "../vision/heads/types.ts";
import type { OpenOptions } from "../pipeline/models/open.ts";
import { list, nonNegative, size } from "./values.ts";

export interface ModelOptions {
  readonly preprocess?: string;
  readonly family?: HeadFamily | "auto";
  readonly names?: readonly string[];
  readonly size?: readonly [number, number];
  readonly output?: readonly string[];
  readonly boxes?: BoxForm;
  readonly coordinates?: Coordinates;
  readonly labelOffset?: number;
  readonly background?: number;
}

/** How to read a detector file that does not say it itself: the same options in every command. */
export const addModelOptions = (command: Command): Command =>
  command
    .option(
      "--preprocess <preset|file>",
      "how pictures are given to the model: yolov5, yolov8, yolox, stretch, imagenet, nanodet, or a JSON file; default what the file says, else the usual one of its head",
    )
    .addOption(
      new Option("--family <family>", "family of the detector's head")
        .choices(["auto", ...headFamilies])
        .default("auto"),
    )
    .option(
      "--names <a,b,…>",
      "the model's classes, where its metadata has none; coco: COCO's 80, coco91: by COCO's category ids",
      list,
    )
    .option("--output <a,b,…>", "read these outputs only, e.g. one of two heads", list)
    .addOption(new Option("--boxes <form>", "what the four numbers of a box are").choices(boxForms))
    .addOption(
      new Option("--coordinates <unit>", "whether boxes are pixels of the input or parts of it (0..1)").choices(
        coordinateKinds,
      ),
    )
    .option("--label-offset <n>", "number of the first class among the model's labels", nonNegative)
    .option("--background <n>", 'class column that means "no object", counted from 0', nonNegative)
    .option("--size <WxH>", "input size of a model whose input is dynamic", size);

export const openOptions = ({
  preprocess,
  family,
  names,
  size: wanted,
  output,
  boxes,
  coordinates,
  labelOffset,
  background,
}: ModelOptions): OpenOptions => ({
  family,
  outputs: output,
  boxes,
  coordinates,
  labelOffset,
  background,
  ...(preprocess !== undefined && { preprocess }),
  ...(names && { classes: names }),
  ...(wanted && { size: wanted }),
});
