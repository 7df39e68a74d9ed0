import { declaredSize, fixedSize, sizedGraph, type Size } from "../../detection/input-size.ts";
import { gradientModel } from "../../autodiff/gradient-model.ts";
import { loadModel } from "../../onnx/load.ts";
import { saveModel } from "../../onnx/save.ts";
import { upgradeOpset } from "../../rewrite/opset.ts";
import { singlePrecision, usesHalf } from "../../rewrite/single-precision.ts";
import { halfNote } from "./editable.ts";

export interface GradOptions {
  /** Name of the value to differentiate; summed where it is not scalar. */
  readonly loss: string;
  /** Inputs or initializers; every trainable initializer when absent. */
  readonly wrt?: readonly string[];
  readonly out: string;
  /** Input size [width, height] of a model whose input is dynamic; the written model has it fixed. */
  readonly size?: Size;
}

/** Writes a model that outputs the loss and `grad/<name>` for each of `wrt`. Throws the UserErrors of `loadModel`, `sizedGraph` and `gradientModel`. */
export const writeGradientModel = async (path: string, { loss, wrt, out, size }: GradOptions): Promise<{ readonly outputs: readonly string[]; readonly notes: readonly string[] }> => {
  const loaded = await loadModel(path);
  const given = loaded.graph;
  const named = size ?? (fixedSize(given) ? undefined : declaredSize(given.metadata, path));
  const sized = named || usesHalf(given) ? await sizedGraph(given, { label: path, ...(size && { size }) }) : { graph: given, notes: [] };
  const graph = singlePrecision(given.opset < 17 ? upgradeOpset(sized.graph, 17).graph : sized.graph).graph;
  const result = gradientModel(graph, loss, wrt);
  await saveModel(result, out);
  return { outputs: result.outputs.map(({ name }) => name), notes: [...loaded.notes, ...sized.notes, ...halfNote(given)] };
};
