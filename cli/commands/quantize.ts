import { Option, type Command } from "commander";
import type { QuantizeFileOptions } from "../../pipeline/models/quantize.ts";
import { lazyTask } from "../../pipeline/progress.ts";
import { points } from "../../report/figures.ts";
import { action } from "../context.ts";
import { addModelOptions, openOptions, type ModelOptions } from "../model-options.ts";
import { share, wholeNumber } from "../values.ts";

interface Options extends ModelOptions {
  readonly data: string;
  readonly images: number;
  readonly method: NonNullable<QuantizeFileOptions["method"]>;
  readonly scheme: NonNullable<QuantizeFileOptions["scheme"]>;
  readonly keepFloat?: readonly string[];
  readonly val?: string;
  readonly maxDrop: number;
  readonly threads?: number;
  readonly out: string;
}

export const addQuantize = (program: Command): Command =>
  addModelOptions(program.command("quantize").summary("static int8").description("Static int8 (Q/DQ), calibrated on real pictures; `both` writes <out>.cpu.onnx and <out>.tensorrt.onnx.").argument("<model.onnx>"))
    .requiredOption("--data <images>", "calibration pictures: a folder, a list or a dataset like those of the real use; labels are not read")
    .option("--images <n>", "how many of them", wholeNumber, 256)
    .addOption(new Option("--method <name>", "how activation ranges are chosen").choices(["minmax", "percentile", "entropy", "mse"]).default("mse"))
    .addOption(new Option("--scheme <runtime>", "which runtime's Q/DQ placement to write").choices(["cpu", "tensorrt", "both"]).default("cpu"))
    .option("--keep-float <pattern...>", "nodes that stay float (names or patterns with *)")
    .option("--val <dataset>", "labelled dataset: sensitive layers become float until the drop of mAP is at most --max-drop; without it, until int8 finds the float model's own boxes")
    .option("--max-drop <fraction>", "largest drop of mAP to accept (0.005 is half a point of 100)", share, 0.005)
    .option("--threads <n>", "threads of the runtime", wholeNumber)
    .requiredOption("-o, --out <out.onnx>", "where to write it")
    .addHelpText("after", `
Examples:
  edgestill quantize student.onnx --data photos -o int8.onnx
  edgestill quantize yolov8n.onnx --data photos --scheme both --method entropy -o int8.onnx
  edgestill quantize yolov8n.onnx --data photos --val val.json --max-drop 0.005 -o int8.onnx`)
    .action(action<[string], Options>(async ({ reporter, signal, result }, [model], options) => {
      const { data, images, method, scheme, keepFloat, val, maxDrop, threads, out } = options;
      const { quantizeFile } = await import("../../pipeline/models/quantize.ts");
      const task = lazyTask(reporter, "calibrating", "picture");
      const done = await quantizeFile(model, {
        ...openOptions(options), data, images, method, scheme, maxDrop, out, signal, onProgress: task.update, onNote: (line) => reporter.line(line),
        ...(keepFloat && { keepFloat }), ...(val !== undefined && { val }), ...(threads !== undefined && { threads }),
      }).finally(task.end);
      for (const note of done.notes) reporter.line(`note: ${note}`);
      for (const warning of done.warnings) reporter.warn(warning);
      const { agreement, sqnr, mapFloat, mapInt8 } = done.report;
      result({
        quantizedNodes: done.quantizedNodes, floatNodes: done.floatNodes, calibration: done.calibration, files: done.files,
        agreement: agreement ?? null, sqnr: sqnr ?? null, mapFloat: mapFloat ?? null, mapInt8: mapInt8 ?? null, warnings: done.warnings, notes: done.notes,
      }, () => [
        `${done.files.join(", ")}: ${done.quantizedNodes} layers in int8, ${done.floatNodes.length} nodes float, calibrated (${done.calibration.method}) on ${done.calibration.images} pictures`,
        ...Object.entries(agreement ?? {}).map(([name, value]) => `${name}: agrees with float, mAP ${points(value)} against the float model's own boxes`),
      ].join("\n"));
      return 0;
    }));
