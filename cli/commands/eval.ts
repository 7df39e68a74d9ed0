import type { Command } from "commander";
import { lazyTask } from "../../pipeline/progress.ts";
import { points } from "../../report/figures.ts";
import type { Split } from "../../vision/index.ts";
import { action } from "../context.ts";
import { addModelOptions, openOptions, type ModelOptions } from "../model-options.ts";
import { textTable } from "../text-table.ts";
import { list, wholeNumber } from "../values.ts";

interface Options extends ModelOptions {
  readonly data: string;
  readonly images?: string;
  readonly split: Split;
  readonly only?: readonly string[];
  readonly limit?: number;
  readonly skipInvalid?: boolean;
  readonly threads?: number;
  readonly saveDetections?: string;
}

export const addEval = (program: Command): Command =>
  addModelOptions(program.command("eval").summary("COCO mAP of a detector").description("COCO mAP of a detector on a labelled dataset, as pycocotools computes it.").argument("<model.onnx>"))
    .requiredOption("--data <dataset>", "COCO .json, YOLO data.yaml, a folder (YOLO, VOC) or a .txt list")
    .option("--images <dir>", "COCO: the folder that file names are relative to")
    .option("--split <split>", "part of a dataset that has several", "val")
    .option("--only <a,b,…>", "only these classes", list)
    .option("--limit <n>", "only the first n pictures", wholeNumber)
    .option("--skip-invalid", "leave out broken pictures and labels")
    .option("--threads <n>", "threads of the runtime", wholeNumber)
    .option("--save-detections <file>", "write the detections in COCO results format")
    .addHelpText("after", `
Examples:
  edgestill eval student.onnx --data data/val.json
  edgestill eval yolox.onnx --data coco/data.yaml --limit 200 --preprocess yolox
  edgestill eval student.onnx --data val.json --save-detections detections.json --json`)
    .action(action<[string], Options>(async ({ reporter, signal, result }, [model], options) => {
      const { data, images, split, only, limit, skipInvalid, threads, saveDetections } = options;
      const { evaluateModel } = await import("../../pipeline/models/evaluate.ts");
      const task = lazyTask(reporter, "evaluating", "picture");
      const { notes, ...accuracy } = await evaluateModel(model, {
        ...openOptions(options), data: { path: data, split, ...(images !== undefined && { images }) }, signal, onProgress: task.update,
        ...(only && { only }), ...(limit !== undefined && { limit }), ...(skipInvalid !== undefined && { skipInvalid }), ...(threads !== undefined && { threads }), ...(saveDetections !== undefined && { saveDetections }),
      }).finally(task.end);
      for (const note of notes) reporter.line(`note: ${note}`);
      const { images: count, map, map50, map75, mapSmall, mapMedium, mapLarge, perClass } = accuracy;
      result({ images: count, map, map50, map75, mapSmall, mapMedium, mapLarge, perClass }, (columns) => {
        const rows = Object.entries(perClass).flatMap(([name, value]) => (value === null ? [] : [[name, points(value)]]));
        const table = textTable([{ head: "class" }, { head: "mAP", align: "right" }], rows, columns);
        const part = (label: string, value: number | null | undefined): string => `${label} ${typeof value === "number" ? points(value) : "–"}`;
        return `${table}\n${count} pictures: ${[part("mAP", map), part("mAP50", map50), part("mAP75", map75), part("small", mapSmall), part("medium", mapMedium), part("large", mapLarge)].join(", ")}`;
      });
      return 0;
    }));
