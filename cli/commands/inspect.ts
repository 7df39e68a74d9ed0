import type { Command } from "commander";
import { inspectModel, type Inspection, type PortFacts } from "../../pipeline/models/inspect.ts";
import { bytes, count, plural } from "../../report/figures.ts";
import { action } from "../context.ts";

export const addInspect = (program: Command): Command =>
  program.command("inspect").summary("what a model is, and what can be done with it")
    .description("Parameters, MACs, ops, inputs and outputs; what cannot be trained or pruned and why; what TensorRT would stumble over.").argument("<model.onnx>")
    .addHelpText("after", `
Examples:
  edgestill inspect yolov8n.onnx
  edgestill inspect yolov8n.onnx --json`)
    .action(action<[string], object>(async ({ result }, [path]) => {
      const inspection = await inspectModel(path);
      result(inspection, () => describe(path, inspection));
      return 0;
    }));

const describe = (path: string, { parameters, macs, sizeBytes, opset, inputs, outputs, ops, trainable, prunable, tensorrt, notes }: Inspection): string => [
  `${path}: ${count(parameters)} parameters, ${count(macs)} MACs, ${bytes(sizeBytes)}, opset ${opset}`,
  ...inputs.map((port) => `  input  ${portText(port)}`),
  ...outputs.map((port) => `  output ${portText(port)}`),
  `ops: ${Object.entries(ops).map(([name, times]) => `${name} ${times}`).join(", ")}`,
  trainable.ok ? "trainable: all of it" : `trainable: not everywhere${reason(trainable.reason)}`,
  ...some(trainable.blocked, ({ node, opType, reason: why }) => `  ${opType} "${node}": ${why}`),
  `prunable: ${prunable.layers} of ${plural(prunable.totalLayers, "layer")} in ${plural(prunable.groups, "group")}${reason(prunable.reason)}`,
  ...some(prunable.blocked, ({ node, opType, reason: why }) => `  ${opType} "${node}": ${why}`),
  tensorrt.length === 0 ? "TensorRT: nothing found" : "TensorRT:",
  ...some(tensorrt, ({ node, opType, finding }) => `  ${opType} "${node}" ${finding}`),
  ...notes.map((note) => `note: ${note}`),
].join("\n");

const portText = ({ name, dtype, shape }: PortFacts): string => `${name} ${dtype ?? "?"} [${shape?.join(", ") ?? "?"}]`;
const reason = (text: string | null): string => (text === null ? "" : ` (${text})`);

/** At most twelve lines. */
const some = <T>(items: readonly T[], text: (item: T) => string): string[] =>
  [...items.slice(0, 12).map(text), ...(items.length > 12 ? [`  … and ${items.length - 12} more (--json lists all)`] : [])];
