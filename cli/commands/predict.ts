import type { Command } from "commander";
import { action } from "../context.ts";
import { addModelOptions, openOptions, type ModelOptions } from "../model-options.ts";
import { textTable, type TextColumn } from "../text-table.ts";
import { share } from "../values.ts";

interface Options extends ModelOptions {
  readonly save?: string;
  readonly score?: number;
  readonly iou?: number;
}

export const addPredict = (program: Command): Command =>
  addModelOptions(program.command("predict").summary("boxes in pictures").description("Boxes that a detector finds in pictures; with --save also the annotated pictures.").argument("<model.onnx>").argument("<image...>"))
    .option("--save <dir>", "folder for the annotated pictures")
    .option("--score <s>", "lowest score that is shown (0.25)", share)
    .option("--iou <t>", "boxes of a class that overlap more are one (0.45)", share)
    .addHelpText("after", `
Examples:
  edgestill predict student.onnx street.jpg --save out
  edgestill predict yolov8n.onnx *.jpg --score 0.4 --json`)
    .action(action<[string, string[]], Options>(async ({ reporter, signal, result }, [model, images], options) => {
      const { save, score, iou } = options;
      const { predictImages } = await import("../../pipeline/models/predict.ts");
      const { predictions, notes } = await predictImages(model, images, {
        ...openOptions(options), signal, ...(save !== undefined && { save }), ...(score !== undefined && { score }), ...(iou !== undefined && { iou }),
      });
      for (const note of notes) reporter.line(`note: ${note}`);
      result(predictions.map(({ image, detections }) => ({ image, detections })), (columns) => predictions.map(({ image, detections, saved }) => [
        `${image}: ${detections.length} object${detections.length === 1 ? "" : "s"}${saved === undefined ? "" : ` (${saved})`}`,
        ...(detections.length > 0 ? [textTable(heads, detections.map(({ box, score: sure, class: name }) => [`  ${name}`, sure.toFixed(2), ...box.map((value) => value.toFixed(1))]), columns)] : []),
      ].join("\n")).join("\n"));
      return 0;
    }));

/** A box in pixels of the picture. */
const heads: readonly TextColumn[] = [{ head: "  class" }, ...["score", "left", "top", "width", "height"].map((head) => ({ head, align: "right" as const }))];
