import { UserError } from "../../graph/error.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { loadModel } from "../../onnx/load.ts";
import { patternFeeds } from "../feeds.ts";
import type { BenchmarkModel } from "../target.ts";
import { checkTensorrt } from "./check/check.ts";
import type { TensorrtFinding } from "./check/finding.ts";
import type { JetsonPrecision } from "./command.ts";
import type { JetsonSettings } from "./settings.ts";
import { releaseText, type TensorrtRelease } from "./version.ts";

/** A model as TensorRT will get it. */
export interface CheckedFile {
  readonly model: BenchmarkModel;
  readonly precisions: readonly JetsonPrecision[];
  /** Findings that cost time on this TensorRT. */
  readonly slow: readonly TensorrtFinding[];
  /** `images:4x3x320x320` for inputs with dynamic dimensions; undefined where all are fixed. Throws UserError BATCH_FIXED. */
  readonly shapes: (batch: number) => string | undefined;
}

/** Shapes are fixed by --shapes, and the parser tries newer opsets than its release promises: the build decides. */
const leftToBuild: ReadonlySet<string> = new Set(["dla-shape", "opset"]);

/** Reads the model on this machine, before anything travels. Throws UserError TENSORRT_REFUSES with what the static check calls an error. */
export const checkFile = async (model: BenchmarkModel, release: TensorrtRelease, { precisions = ["fp16"], dla }: JetsonSettings): Promise<CheckedFile> => {
  const { graph } = await loadModel(model.path);
  inferShapes(graph);
  const findings = checkTensorrt(graph, { version: release, dla: dla !== undefined }).filter(({ rule }) => !leftToBuild.has(rule));
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw refused(model.name, release, errors);
  const quantized = [...graph.nodes].some(({ opType }) => opType === "QuantizeLinear");
  const inputs = graph.inputs.filter(({ tensor }) => !tensor).map(({ name, dtype, shape }) => ({ name, dtype: dtype ?? "float32", shape: shape ?? [] }));
  return {
    model, precisions: quantized ? ["int8"] : precisions, slow: findings.filter(({ severity }) => severity === "slow"),
    shapes: (batch) => {
      const feeds = patternFeeds({ inputs }, batch);
      const dynamic = inputs.filter(({ shape }) => shape.some((dim) => typeof dim !== "number"));
      return dynamic.length === 0 ? undefined : dynamic.map(({ name }) => `${name}:${feeds[name]!.shape.join("x")}`).join(",");
    },
  };
};

const refused = (name: string, release: TensorrtRelease, errors: readonly TensorrtFinding[]): UserError =>
  new UserError("TENSORRT_REFUSES", `TensorRT ${releaseText(release)} would refuse ${name}: ${errors.slice(0, 3).map(({ opType, node, finding }) => `${opType} "${node}" ${finding}`).join("; ")}${errors.length > 3 ? `; and ${errors.length - 3} more` : ""}.`,
    errors[0]!.change);
