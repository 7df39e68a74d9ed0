import { gradientModel } from "../../autodiff/gradient-model.ts";
import { loadModel } from "../../onnx/load.ts";
import { saveModel } from "../../onnx/save.ts";
import { upgradeOpset } from "../../rewrite/opset.ts";

export interface GradOptions {
  /** Name of the value to differentiate; summed where it is not scalar. */
  readonly loss: string;
  /** Inputs or initializers; every trainable initializer when absent. */
  readonly wrt?: readonly string[];
  readonly out: string;
}

/** Writes a model that outputs the loss and `grad/<name>` for each of `wrt`. Throws the UserErrors of `loadModel` and `gradientModel`. */
export const writeGradientModel = async (path: string, { loss, wrt, out }: GradOptions): Promise<{ readonly outputs: readonly string[] }> => {
  const { graph } = await loadModel(path);
  const result = gradientModel(graph.opset < 17 ? upgradeOpset(graph, 17).graph : graph, loss, wrt);
  await saveModel(result, out);
  return { outputs: result.outputs.map(({ name }) => name) };
};
