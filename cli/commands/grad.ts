import type { Command } from "commander";
import { action } from "../context.ts";
import { list } from "../values.ts";

interface Options {
  readonly loss: string;
  readonly wrt?: readonly string[];
  readonly out: string;
}

export const addGrad = (program: Command): Command =>
  program.command("grad").summary("a model that computes gradients")
    .description("Writes a model that outputs the loss (summed if it is not scalar) and grad/<name> for each named input or initializer.").argument("<model.onnx>")
    .requiredOption("--loss <value>", "name of the value to differentiate")
    .option("--wrt <a,b,…>", "inputs or initializers; default every trainable initializer", list)
    .requiredOption("-o, --out <out.onnx>", "where to write it")
    .addHelpText("after", `
Examples:
  edgestill grad model.onnx --loss loss -o gradients.onnx
  edgestill grad model.onnx --loss output0 --wrt images -o saliency.onnx`)
    .action(action<[string], Options>(async ({ result }, [model], { loss, wrt, out }) => {
      const { writeGradientModel } = await import("../../pipeline/models/grad.ts");
      const { outputs } = await writeGradientModel(model, { loss, out, ...(wrt && { wrt }) });
      result({ outputs }, () => `${out}: ${outputs.join(", ")}`);
      return 0;
    }));
