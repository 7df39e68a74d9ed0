import type { Command } from "commander";
import type { Inspection, PortFacts } from "../../pipeline/models/inspect.ts";
import type { TensorrtFinding, TensorrtVersion } from "../../targets/jetson/check/finding.ts";
import { bytes, count, plural } from "../../report/figures.ts";
import { action } from "../context.ts";
import { size, tensorrtVersion } from "../values.ts";

export const addInspect = (program: Command): Command =>
  program.command("inspect").summary("what a model is, and what can be done with it")
    .description("Parameters, MACs, ops, inputs and outputs; what cannot be trained or pruned and why; what TensorRT would refuse or run slowly.").argument("<model.onnx>")
    .option("--tensorrt <version>", "judge for this TensorRT alone, e.g. 8.6 or 10.3 (default: 8.6 to 11)", tensorrtVersion).option("--dla", "judge for a DLA core")
    .option("--size <WxH>", "input size of a model whose input is dynamic", size)
    .addHelpText("after", `
Examples:
  edgestill inspect yolov8n.onnx
  edgestill inspect yolov8n.onnx --json
  edgestill inspect int8.tensorrt.onnx --tensorrt 10.3`)
    .action(action<[string], InspectOptions>(async ({ result }, [path], { tensorrt: version, dla = false, size: wanted }) => {
      const { inspectModel } = await import("../../pipeline/models/inspect.ts");
      const inspection = await inspectModel(path, { tensorrt: { dla, ...(version && { version }) }, ...(wanted && { size: wanted }) });
      result(inspection, () => describe(path, inspection));
      return 0;
    }));

interface InspectOptions {
  readonly tensorrt?: TensorrtVersion;
  readonly dla?: boolean;
  readonly size?: readonly [number, number];
}

const describe = (path: string, { parameters, macs, sizeBytes, opset, inputs, outputs, ops, trainable, prunable, tensorrt, head, notes }: Inspection): string => [
  `${path}: ${count(parameters)} parameters, ${count(macs)} MACs, ${bytes(sizeBytes)}, opset ${opset}`,
  ...inputs.map((port) => `  input  ${portText(port)}`),
  ...outputs.map((port) => `  output ${portText(port)}`),
  `ops: ${Object.entries(ops).map(([name, times]) => `${name} ${times}`).join(", ")}`,
  `detector: ${head.reading ?? `not read as one (${head.reason ?? "?"})`}`,
  trainable.ok ? "trainable: all of it" : `trainable: not everywhere${reason(trainable.reason)}`,
  ...some(trainable.blocked, ({ node, opType, reason: why }) => `  ${opType} "${node}": ${why}`),
  `prunable: ${prunable.layers} of ${plural(prunable.totalLayers, "layer")} in ${plural(prunable.groups, "group")}${reason(prunable.reason)}`,
  ...some(prunable.blocked, ({ node, opType, reason: why }) => `  ${opType} "${node}": ${why}`),
  tensorrt.length === 0 ? "TensorRT: nothing found" : "TensorRT:",
  ...ruleByRule(tensorrt).flatMap(findingLines),
  ...notes.map((note) => `note: ${note}`),
].join("\n");

const portText = ({ name, dtype, shape }: PortFacts): string => `${name} ${dtype ?? "?"} [${shape?.join(", ") ?? "?"}]`;
const reason = (text: string | null): string => (text === null ? "" : ` (${text})`);

/** Findings of one rule and severity together, in their order. */
const ruleByRule = (findings: readonly TensorrtFinding[]): TensorrtFinding[][] => {
  const groups = new Map<string, TensorrtFinding[]>();
  for (const finding of findings) groups.set(`${finding.severity} ${finding.rule}`, [...(groups.get(`${finding.severity} ${finding.rule}`) ?? []), finding]);
  return [...groups.values()];
};

/** Three places at most, then what to change. */
const findingLines = (findings: readonly TensorrtFinding[]): string[] => {
  const { severity, rule, change } = findings[0]!;
  return [
    ...findings.slice(0, 3).map(({ node, opType, finding }) => `  ${severity} [${rule}] ${opType} "${node}" ${finding}`),
    ...(findings.length > 3 ? [`        … and ${findings.length - 3} more (--json lists all, with sources)`] : []),
    `        change: ${change}`,
  ];
};

/** At most twelve lines. */
const some = <T>(items: readonly T[], text: (item: T) => string): string[] =>
  [...items.slice(0, 12).map(text), ...(items.length > 12 ? [`  … and ${items.length - 12} more (--json lists all)`] : [])];
