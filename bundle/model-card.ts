import { markdownCode, markdownTable, markdownText } from "../escape/markdown.ts";
import type { DriftRow } from "./evidence/drift.ts";
import { points, signedPoints } from "../report/figures.ts";
import { limitTexts } from "../report/limits.ts";
import type { Interval, Manifest, RequirementRow } from "./manifest-schema.ts";

/** MODEL_CARD.md: the manifest in words and tables; nothing that is not in it. */
export const modelCard = (manifest: Manifest, drift: readonly DriftRow[]): string => [
  `# ${markdownText(manifest.name)}`,
  manifest.statement,
  section("Models", markdownTable(["file", "role", "precision", "bytes", "parameters", "MACs", "sha256"],
    manifest.models.map(({ file, role, precision, sizeBytes, parameters, macs, sha256 }) => [file, role, precision, sizeBytes, parameters, macs, { code: `${sha256.slice(0, 16)}…` }]))),
  section("Input and output", [
    `Input ${markdownCode(manifest.decode.input)}: ${manifest.preprocess.contract.size.join(" x ")} pixels, ${manifest.preprocess.contract.order.toUpperCase()}, ${manifest.preprocess.contract.resize}${manifest.preprocess.contract.resize === "letterbox" ? ` (${manifest.preprocess.contract.align}, pad ${manifest.preprocess.contract.pad})` : ""}. ${markdownText(manifest.preprocess.formula)}.`,
    `Output ${manifest.decode.outputs.map(markdownCode).join(", ")}: ${markdownText(manifest.decode.layout)}; boxes ${markdownText(manifest.decode.boxes)}; classes ${manifest.classes.map(markdownText).join(", ")}.`,
    `Defaults: score above ${manifest.thresholds.score}, NMS ${manifest.thresholds.nms} at IoU ${manifest.thresholds.iou}, at most ${manifest.thresholds.maxDetections} boxes.`,
  ].join("\n\n")),
  ...manifest.accuracy.map(({ role, slices }) => section(`Accuracy of ${role}`, [
    "COCO AP (IoU 0.50:0.95) in points with 95 % bootstrap intervals over pictures.",
    markdownTable(["slice", "pictures", "objects", "mAP", "mAP50", ...manifest.classes], slices.map(({ slice, images, instances, map, map50, perClass }) =>
      [slice, images, instances, ranged(map), ranged(map50), ...manifest.classes.map((name) => (perClass[name] ? ranged(perClass[name].ap) : "–"))])),
  ].join("\n\n"))),
  section("Drift from the teacher", markdownTable(["class", ...(drift[0]?.steps.map(({ variant }) => variant) ?? [])], drift.map(({ class: name, steps }) => [name, ...steps.map(({ ap, change }) => (ap === null ? "–" : `${points(ap)}${change === null ? "" : ` (${signedPoints(change)})`}`))]))),
  section("Latency", manifest.latency.length === 0 ? "Not measured." : markdownTable(["model", "target", "p50 ms", "p99 ms", "stable"], manifest.latency.map((record) => {
    const { model, target, inferenceMs: times } = record as unknown as { readonly model: string; readonly target: string; readonly inferenceMs: { readonly p50: number; readonly p99: number } };
    return [model, target, times.p50.toFixed(2), times.p99.toFixed(2), record["stable"] === true ? "yes" : "no"];
  }))),
  section("Requirements", manifest.requirements.length === 0 ? "None were given (requirements in the config)." : markdownTable(["id", "metric", "slice", "limit", "measured", "result", "evidence"],
    manifest.requirements.map(requirementRow))),
  section("Known limits", manifest.limits.length === 0 ? "None recorded; absence of a record is no proof." : manifest.limits.map((line) => `- ${markdownText(line)}`).join("\n")),
  section("Provenance", [
    `Run ${markdownCode(manifest.run)}, seed ${manifest.provenance.seed}, config sha256 \`${manifest.provenance.configSha256.slice(0, 16)}…\`, edgestill ${markdownText(manifest.tool.version)}, ONNX Runtime ${markdownText(manifest.tool.onnxruntime)}.`,
    markdownTable(["variant", "stage", "made from", "sha256", "mAP"], manifest.provenance.lineage.map(({ name, stage, parent, sha256, map }) => [name, stage, parent ?? "–", { code: `${sha256.slice(0, 16)}…` }, map === null ? "–" : points(map)])),
    ...manifest.notes.map((note) => `Note: ${markdownText(note)}`),
  ].join("\n\n")),
].join("\n\n") + "\n";

const section = (title: string, body: string): string => `## ${title}\n${body}`;
/** Accuracies in points, as everywhere on the card. */
const requirementRow = ({ id, metric, slice, relation, limit, measured, low, high, passed, evidence }: RequirementRow): string[] => {
  const text = limitTexts(metric, limit, measured);
  const interval = low === null || high === null ? "" : ` (${limitTexts(metric, low, null).limit} – ${limitTexts(metric, high, null).limit})`;
  return [id, metric, slice, `${relation} ${text.limit}`, `${text.value}${interval}`, passed ? "pass" : "FAIL", evidence];
};
const ranged = ({ value, low, high }: Interval): string => (value === null ? "–" : `${points(value)}${low === null || high === null ? "" : ` (${points(low)}–${points(high)})`}`);
