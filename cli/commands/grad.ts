import type { Command } from "commander";
import { action } from "../context.ts";
import { list, size } from "../values.ts";

interface Options {
  readonly loss: string;
  readonly wrt?: readonly string[];
  readonly out: string;
  readonly size?: readonly [number, number];
}

export const addGrad = (program: Command): Command =>
  program.command("grad").summary("a model that computes gradients")
    .description("Writes a model that outputs the loss (summed if it is not scalar) and grad/<name> for each named input or initializer.").argument("<model.onnx>")
    .requiredOption("--loss <value>", "name of the value to differentiate")
    .option("--wrt <a,b,…>", "inputs or initializers; default every trainable initializer", list)
    .option("--size <WxH>", "input size of a model whose input is dynamic", size)
    .requiredOption("-o, --out <out.onnx>", "where to write it")
    .addHelpText("after", `
Examples:
  edgestill grad model.onnx --loss loss -o gradients.onnx
  edgestill grad model.onnx --loss output0 --wrt images -o saliency.onnx`)
    .action(action<[string], Options>(async ({ reporter, result }, [model], { loss, wrt, out, size: wanted }) => {
      const { writeGradientModel } = await import("../../pipeline/models/grad.ts");
      const { outputs, notes } = await writeGradientModel(model, { loss, out, ...(wrt && { wrt }), ...(wanted && { size: wanted }) });
      for (const note of notes) reporter.line(`note: ${note}`);
      result({ outputs }, () => `${out}: ${outputs.join(", ")}`);
      return 0;
    }));
