import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import onnxProto from "onnx-proto";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { parseModel, type LoadedModel } from "../../onnx/load.ts";

export const proto = onnxProto.onnx;
export type IModel = onnxProto.onnx.IModelProto;
export type ITensor = onnxProto.onnx.ITensorProto;
export type IGraph = onnxProto.onnx.IGraphProto;

export const fixturePath = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
export const fixture = (name: string): Uint8Array => readFileSync(fixturePath(name));

interface Recorded {
  readonly inputs: Readonly<Record<string, { readonly shape: number[]; readonly dtype: "float32" | "bool"; readonly values: (number | boolean)[] }>>;
  readonly outputs: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
}
export const expectations = JSON.parse(readFileSync(fixturePath("expected.json"), "utf8")) as Record<string, Recorded> & { readonly bytes: Readonly<Record<string, string>> };

export const info = (name: string, dims: readonly (number | string)[] = [2], elemType = 1) => ({
  name, type: { tensorType: { elemType, shape: { dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) } } },
});
export const floats = (name: string, values: readonly number[], dims: readonly number[] = [values.length]) => ({ name, dataType: 1, dims: [...dims], floatData: [...values] });

/** y = Relu(x + w), with parts of the graph replaced by `graph`. */
export const tiny = (graph: IGraph = {}, model: IModel = {}): Uint8Array =>
  proto.ModelProto.encode({
    irVersion: 8, opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "tiny", input: [info("x")], output: [info("y")], initializer: [floats("w", [1, -1])],
      node: [{ opType: "Add", name: "add", input: ["x", "w"], output: ["s"] }, { opType: "Relu", name: "relu", input: ["s"], output: ["y"] }], ...graph,
    },
    ...model,
  }).finish();

/** Loads, or returns the UserError; any other error fails the test. */
export const loadOrRefuse = (bytes: Uint8Array): LoadedModel | UserError => {
  try {
    return parseModel(bytes);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
};

export const refused = (bytes: Uint8Array, code: string, words = ""): void => {
  const result = loadOrRefuse(bytes);
  assert.instance(result, UserError, "was not refused");
  if (!(result instanceof UserError)) return;
  assert.is(result.code, code, result.message);
  assert.ok(result.message.includes(words), `"${result.message}" does not say "${words}"`);
  assert.ok(result.nextStep.length > 0);
};
