import { z } from "zod";
import { nameProblem, plainProblem } from "../escape/names.ts";
import { settingsProblem } from "../runtime/settings.ts";
import { preprocessSchema } from "../vision/preprocess.ts";

/** The published form of manifest.json. Accuracies are fractions (0..1), latencies milliseconds, sizes bytes. Unknown keys are refused. */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const fraction = z.number().nullable();
const count = z.number().nonnegative();
const text = z.string();
/** Names that `escape/names.ts` lets in: they are written and shown as they are. */
const name = text.refine((given) => plainProblem(given) === undefined, "holds characters that no name may hold");
const className = text.refine((given) => nameProblem(given) === undefined, "is no name of a class");
const port = z.strictObject({ name, dtype: text, shape: z.array(z.union([z.int(), z.string()])).describe("A name is a free dimension.") });

/** What a model file is for. */
export const modelRoles = ["float", "int8-cpu", "int8-tensorrt"] as const;

const model = z.strictObject({
  role: z.enum(modelRoles),
  file: name.describe("Path inside the bundle."),
  variant: name.describe("Name of the variant in the run."),
  sha256, sizeBytes: count, parameters: count, macs: count, opset: z.int(),
  precision: z.enum(["float32", "int8"]),
  inputs: z.array(port), outputs: z.array(port).describe("golden/index.txt names a file with the values of each, for every picture within the size budget."),
  session: z.record(z.string(), z.string()).refine((given) => settingsProblem(given) === undefined, "holds a setting that no bundle needs").describe("ONNX Runtime session configuration entries under which the file gives its stated numbers on every machine."),
});

const interval = z.strictObject({
  value: fraction.describe("Null where the slice has no ground truth."),
  low: fraction.describe("2.5 % quantile of the bootstrap over pictures."),
  high: fraction.describe("97.5 % quantile."),
});

const sliceAccuracy = z.strictObject({
  slice: text.describe("all, small, medium, large (COCO's areas), or a slice of data.slices."),
  images: count, instances: count,
  map: interval, map50: interval,
  perClass: z.record(z.string(), z.strictObject({ ap: interval, instances: count })),
});

const accuracy = z.strictObject({
  role: z.enum(modelRoles), variant: text,
  slices: z.array(sliceAccuracy),
});

const requirement = z.strictObject({
  id: text, metric: text, limit: z.number(), slice: text,
  relation: z.enum([">=", "<="]),
  model: text.describe("The model file that is worst at it."),
  measured: fraction, low: fraction, high: fraction,
  passed: z.boolean().describe("False where nothing was measured."),
  evidence: text.describe("File inside the bundle that holds the measurement."),
});

const lineage = z.strictObject({ name: text, stage: text, parent: text.nullable(), sha256, parameters: count, macs: count, sizeBytes: count, map: fraction, map50: fraction });

const signature = z.strictObject({
  algorithm: z.literal("ed25519"),
  signed: text, file: text,
  keyId: sha256.describe("sha256 of the public key as DER SubjectPublicKeyInfo."),
});

export const manifestSchema = z.strictObject({
  schema: z.literal("edgestill-bundle/1"),
  name: name.describe("Name of the bundle's folder: run and hash."),
  run: name, hash: z.string().regex(/^[0-9a-f]{8}$/),
  tool: z.strictObject({ name: z.literal("edgestill"), version: text, onnxruntime: text }),
  formats: z.array(z.enum(["cpp", "autoware", "deepstream"])),
  models: z.array(model).min(1),
  classes: z.array(className).min(1).describe("Index in this list is the class index of the outputs."),
  preprocess: z.strictObject({
    contract: preprocessSchema,
    resampling: text, formula: text, geometry: text,
  }),
  decode: z.strictObject({
    family: text, input: name, outputs: z.array(name), layout: text,
    channelsFirst: z.boolean(), objectness: z.boolean(), raw: z.boolean(),
    strides: z.array(z.int()), anchors: count, boxes: text,
  }),
  thresholds: z.strictObject({ score: z.number(), iou: z.number(), maxDetections: z.int(), nms: z.enum(["per class", "none"]), multiLabel: z.boolean() }),
  provenance: z.strictObject({
    config: z.record(z.string(), z.json()), configSha256: sha256, seed: z.number(),
    data: z.strictObject({ train: sha256.nullable(), val: sha256.nullable(), trainImages: count.nullable(), valImages: count.nullable() })
      .describe("sha256 over paths, sizes and labels of each data set; null where the data set was not at hand."),
    teachers: z.array(z.strictObject({ file: text, sha256 })),
    lineage: z.array(lineage),
    stages: z.array(z.strictObject({ name: text, hash: text })),
    environment: z.record(z.string(), z.json()),
  }),
  accuracy: z.array(accuracy),
  latency: z.array(z.record(z.string(), z.json())).describe("Benchmark records as run.json holds them."),
  gates: z.array(z.strictObject({ name: text, limit: z.number(), value: fraction, passed: z.boolean() })),
  requirements: z.array(requirement),
  limits: z.array(text).describe("What is known to limit the use of the models."),
  notes: z.array(text),
  statement: text,
  signature: signature.nullable(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestModel = z.infer<typeof model>;
export type ModelRole = (typeof modelRoles)[number];
export type SliceAccuracy = z.infer<typeof sliceAccuracy>;
export type ModelAccuracyRecord = z.infer<typeof accuracy>;
export type Interval = z.infer<typeof interval>;
export type RequirementRow = z.infer<typeof requirement>;
export type BundleFormat = Manifest["formats"][number];

/** JSON Schema (draft 2020-12) of manifest.json. */
export const manifestJsonSchema = (): Record<string, unknown> => ({ title: "Edgestill bundle manifest", ...z.toJSONSchema(manifestSchema) });
