import { Option, type Command } from "commander";
import { headFamilies, type HeadFamily } from "../vision/heads.ts";
import { list, size } from "./values.ts";
import type { OpenOptions } from "../pipeline/models/open.ts";

export interface ModelOptions {
  readonly preprocess?: string;
  readonly family?: HeadFamily | "auto";
  readonly names?: readonly string[];
  readonly size?: readonly [number, number];
}

/** How to read a detector file that does not say it itself: the same options in every command. */
export const addModelOptions = (command: Command): Command =>
  command
    .option("--preprocess <preset|file>", "how pictures are given to the model: yolov5, yolov8, yolox, or a JSON file; default what the file says, else its family's usual one")
    .addOption(new Option("--family <family>", "family of the detector's head").choices(["auto", ...headFamilies]).default("auto"))
    .option("--names <a,b,…>", "the model's classes, where its metadata has none", list)
    .option("--size <WxH>", "input size of a model whose input is dynamic", size);

export const openOptions = ({ preprocess, family, names, size: wanted }: ModelOptions): OpenOptions => ({
  ...(preprocess !== undefined && { preprocess }), ...(family && { family }), ...(names && { classes: names }), ...(wanted && { size: wanted }),
});
