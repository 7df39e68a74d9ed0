import type { Gate, JsonObject, JsonValue, RunResult } from "../pipeline/result.ts";
import { inferShapes } from "../graph/shapes.ts";
import type { Value } from "../graph/node.ts";
import { basename } from "node:path";
import { judgeGates } from "../pipeline/gates.ts";
import { sha256Of } from "../files/digest.ts";
import type { Head } from "../vision/index.ts";
import { anchorsOf } from "./cpp.ts";
import type { BundledModel, BundleInput } from "./input.ts";
import type { Manifest, ManifestModel, ModelAccuracyRecord, RequirementRow } from "./manifest-schema.ts";
import { isTimedGate, isTimedRequirement } from "./measured.ts";
import { floatModel, modelFile, type Names } from "./names.ts";

/** What evidence is and what it is not. */
export const statement = "This bundle carries traceable evidence: measurements, their data, and how to repeat them. It is no certification: nothing here claims conformity with ISO 26262, ISO 21448, ISO/PAS 8800 or any other standard, and the tools that made it are not qualified.";

const resampling = "Bilinear with half-pixel centres and no antialiasing, on 8-bit RGB; weights have 11 fractional bits; the same bytes as OpenCV's resize with INTER_LINEAR (exactly 2:1 both ways: the mean of four pixels). cpp/include/edgestill/ holds the code.";
const geometry = "letterbox: r = min(W/w, H/h); center: size round(w·r) (ties to even), left pad round(d/2 - 0.1) with d = W - size; topleft: size trunc(w·r), no offset. At least one pixel. Pixels outside are `pad`.";

export interface ManifestParts {
  readonly names: Names;
  readonly tool: Manifest["tool"];
  readonly accuracies: readonly ModelAccuracyRecord[];
  readonly formats: Manifest["formats"];
  readonly notes: readonly string[];
  readonly keyId: string | null;
  /** All of them: those on times go elsewhere. */
  readonly gates: readonly Gate[];
  readonly requirements: readonly RequirementRow[];
  readonly sha256: (file: string) => string;
}

/** The manifest of a bundle: facts only, from the run and from what was measured. */
export const manifestOf = (input: BundleInput, parts: ManifestParts): Manifest => {
  const { result, models, data } = input;
  const { model: { contract, head, classes } } = floatModel(models);
  return {
    schema: "edgestill-bundle/2", name: parts.names.base, run: result.name, hash: parts.names.hash, tool: parts.tool, formats: parts.formats,
    models: models.map((model) => modelRecord(model, result, parts)),
    classes: [...classes],
    preprocess: { contract, resampling, formula: "value = (pixel * scale - mean[c]) / std[c] in float64, rounded once to float32; c counts in `order`; planes [3, H, W]", geometry },
    decode: decodeRecord(head, floatModel(models)),
    thresholds: { score: input.thresholds.score, iou: input.thresholds.iou, maxDetections: input.thresholds.maxDetections, nms: head.needsNms ? "per class" : "none", multiLabel: false },
    provenance: {
      config: result.config as Record<string, never>, configSha256: sha256Of(JSON.stringify(result.config)), seed: result.seed,
      data: { train: data?.fingerprints.train ?? null, val: data?.fingerprints.val ?? null, trainImages: data?.trainImages ?? null, valImages: data?.items.length ?? null },
      teachers: result.variants.filter(({ stage }) => stage === "teacher").map(({ model, sha256 }) => ({ file: basename(model), sha256 })),
      lineage: result.variants.map(({ name, stage, parent, sha256, parameters, macs, sizeBytes, accuracy }) => ({ name, stage, parent, sha256, parameters, macs, sizeBytes, map: accuracy?.map ?? null, map50: accuracy?.map50 ?? null })),
      stages: stagesOf(result).map(({ name, hash }) => ({ name, hash })),
    },
    accuracy: [...parts.accuracies],
    gates: parts.gates.filter((gate) => !isTimedGate(gate)).map((gate) => ({ ...gate })),
    requirements: parts.requirements.filter((row) => !isTimedRequirement(row)),
    limits: [...limitsOf(input, parts.accuracies), ...input.limits],
    notes: [...input.notes, ...parts.notes],
    statement,
    signature: parts.keyId === null ? null : { algorithm: "ed25519", signed: "SHA256SUMS", file: "SHA256SUMS.sig", keyId: parts.keyId },
  };
};

const stagesOf = (result: Pick<RunResult, "stages">) => result.stages.filter(({ name }) => name !== "bundle");

const modelRecord = ({ role, variant, model, session }: BundledModel, { variants }: RunResult, { names, sha256 }: ManifestParts): ManifestModel => {
  const found = variants.find(({ name }) => name === variant)!;
  const { graph } = model;
  inferShapes(graph);
  return {
    role, file: modelFile(names, role), variant, sha256: sha256(modelFile(names, role)), sizeBytes: found.sizeBytes, parameters: found.parameters, macs: found.macs, opset: graph.opset,
    precision: role === "float" ? "float32" : "int8", inputs: graph.inputs.map(port), outputs: graph.outputs.map(port), session: { ...session },
  };
};

const port = ({ name, dtype, shape }: Value): ManifestModel["inputs"][number] => ({ name, dtype: dtype ?? "float32", shape: [...(shape ?? [])] });

const numbersOf = { xyxy: "x1, y1, x2, y2", yxyx: "y1, x1, y2, x2", cxcywh: "cx, cy, w, h", xywh: "x, y, w, h (top-left corner)" } as const;

const boxText = (head: Head): string => {
  if (head.kind === "dense") return head.raw ? "offsets on the grid: centre = (xy + cell)·stride, size = exp(wh)·stride" : "cx, cy, w, h in pixels of the network's input";
  if (head.kind === "rows") return "x1, y1, x2, y2 in pixels of the network's input";
  if (head.bins !== null) return `distributions of ${head.bins} bins over the distances left, top, right, bottom in strides`;
  return `${numbersOf[head.form]} in ${head.coordinates === "unit" ? "0..1" : "pixels"} of the network's input`;
};

const decodeRecord = (head: Head, { model }: BundledModel): Manifest["decode"] => {
  const dense = head.kind === "dense" ? head : undefined;
  const anchors = dense ? anchorsOf(dense) : 0;
  const columns = head.classCount + (dense?.objectness ? 5 : 4);
  return {
    family: head.family, input: model.graph.inputs[0]!.name, outputs: [...head.outputNames],
    layout: dense ? (dense.channelsFirst ? `[N, ${columns}, ${anchors}]` : `[N, ${anchors}, ${columns}]`) : head.kind,
    channelsFirst: dense?.channelsFirst ?? false, objectness: dense?.objectness ?? false, raw: dense?.raw ?? false, strides: [...(dense?.strides ?? [])], anchors,
    boxes: boxText(head),
  };
};

/** Fewer objects than this say little about a class. */
const fewInstances = 100;

/** What the figures themselves show to be weak. */
const limitsOf = ({ models, data, result }: BundleInput, accuracies: readonly ModelAccuracyRecord[]): string[] => {
  const limits: string[] = [];
  if (!data) limits.push("The validation set was not at hand: accuracy is known as a whole and per class only (evidence/run.json), not per slice and without intervals.");
  const last = accuracies.at(-1);
  for (const slice of last?.slices ?? []) {
    if (slice.instances === 0) limits.push(`Slice ${slice.slice}: no objects in the validation set, so nothing is known.`);
    for (const [name, { instances, ap }] of Object.entries(slice.perClass)) {
      if (slice.slice === "all" && instances < fewInstances) limits.push(`Class ${name}: only ${instances} objects in the validation set.`);
      if (slice.slice === "small" && ap.value !== null && ap.value < 0.2) limits.push(`Small ${name} (below 32x32 pixels of the picture): AP ${ap.value.toFixed(3)}.`);
    }
  }
  if (models.some(({ role }) => role === "int8-tensorrt")) limits.push("The accuracy of the int8 file for TensorRT was measured with ONNX Runtime doing TensorRT's arithmetic (Q/DQ as written); kernels on a device may round otherwise.");
  if (result.variants.every(({ latency }) => Object.keys(latency).every((target) => target === "local"))) limits.push("No device was measured: latencies are those of the machine that made the run.");
  const generated = (result.config["data"] as JsonObject | undefined)?.["generate"];
  if (generated !== undefined) limits.push("Training and validation pictures were generated: figures say nothing about real cameras.");
  return limits;
};

/** Stages whose reports are paths, pictures or times. */
const unreported = new Set<string>(["evaluate", "benchmark"]);

/** run.json as evidence: models by name of their file, nothing that differs from run to run (times, the machine), no record of the bundle itself. */
export const runEvidence = ({ environment: _environment, ...result }: RunResult): JsonValue => withoutSpeeds({
  ...(result as unknown as JsonObject),
  variants: result.variants.map(({ latency: _latency, ...variant }) => ({ ...variant, model: basename(variant.model) })) as unknown as JsonValue,
  stages: stagesOf(result).filter(({ name }) => name !== "plan").map(({ name, hash, report }) => ({ name, hash, report: unreported.has(name) ? {} : report })) as unknown as JsonValue,
  gates: gatesOf({ ...result, environment: {} }).filter((gate) => !isTimedGate(gate)) as unknown as JsonValue,
});

/** The config's limits, judged. */
export const gatesOf = (result: RunResult): Gate[] => judgeGates((result.config["gates"] ?? {}) as Readonly<Record<string, number>>, result);

/** Training curves say how many pictures a second went through. */
const withoutSpeeds = (value: JsonValue): JsonValue => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(withoutSpeeds);
  return Object.fromEntries(Object.entries(value as JsonObject).filter(([key]) => key !== "imagesPerSecond").map(([key, of]) => [key, withoutSpeeds(of)]));
};
