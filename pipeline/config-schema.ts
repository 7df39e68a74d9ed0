import { z } from "zod";
import { runsCode } from "../targets/code-keys.ts";
import { targetSchema } from "../targets/inventory.ts";
import { boxForms, coordinateKinds, headFamilies } from "../vision/heads/types.ts";

/** The config as one table: types, limits, defaults and help. The JSON Schema for editors and docs/config.md are made from it. */

const count = z.int().min(1);
const share = z.number().gt(0).max(1);
const part = z.number().min(0).max(1);
const path = z.string().min(1);
const rate = z.number().gt(0).max(1);

const preprocess = z
  .union([
    z.enum(["yolov5", "yolov8", "yolox", "stretch", "imagenet", "nanodet"]),
    z.strictObject({
      resize: z.enum(["letterbox", "stretch"]).default("letterbox").describe("Keep the picture's proportions and pad, or stretch it."),
      align: z.enum(["center", "topleft"]).default("center").describe("Where a letterboxed picture lies."),
      pad: z.int().min(0).max(255).default(114).describe("Grey level around a letterboxed picture."),
      order: z.enum(["rgb", "bgr"]).default("rgb").describe("Order of the channels."),
      scale: z.number().gt(0).default(1 / 255).describe("Pixels (0..255) are multiplied by this."),
      mean: z.tuple([z.number(), z.number(), z.number()]).default([0, 0, 0]).describe("Subtracted after scaling, by channel."),
      std: z.tuple([z.number().gt(0), z.number().gt(0), z.number().gt(0)]).default([1, 1, 1]).describe("Divided by after that."),
    }),
  ])
  .describe("How pictures are given to the model, where its metadata does not say it: a preset (yolov5, yolov8, yolox, stretch, imagenet, nanodet) or all values.");

const family = z.enum(["auto", ...headFamilies]);

const modelFields = {
  family: family.default("auto").describe("Family of the detector's head; auto recognises it from shapes and graph."),
  classes: z.array(z.string().min(1)).min(1).optional().describe("The model's own class list, where its metadata has none; [coco] is COCO's 80 classes, [coco91] those by COCO's category ids."),
  preprocess: preprocess.optional(),
  outputs: z.array(z.string().min(1)).min(1).optional().describe("Read these outputs only, e.g. one of two heads; the others are left unread."),
  boxes: z.enum(boxForms).optional().describe("What the four numbers of a box are, where the model's outputs do not tell."),
  coordinates: z.enum(coordinateKinds).optional().describe("Whether boxes are pixels of the input or parts of it (0..1), where the outputs do not tell."),
  labelOffset: z.int().min(0).optional().describe("Number of the first class among the model's labels, where the outputs do not tell."),
  background: z.int().min(0).optional().describe("Class column that means \"no object\", counted from 0, where the outputs do not tell."),
};

const teacher = z.strictObject({
  model: path.describe("The teacher's .onnx file."),
  weight: z.number().gt(0).default(1).describe("Share of this teacher among several."),
  ...modelFields,
});

const generate = z.strictObject({
  module: path.meta(runsCode("the module is loaded and its function runs on this machine")).describe("A TypeScript or JavaScript module whose `generate…` function writes the data set: ({dir, train, val, test, seed, onProgress}) => {images, train, val, test}."),
  dir: path.optional().describe("Folder for the pictures; default `.cache/<name>` beside the config."),
  train: count.describe("Pictures to train on."),
  val: count.describe("Pictures to validate on."),
  test: count.optional().describe("Pictures that the reported figures come from; left out: the validation pictures."),
  seed: z.int().min(0).default(1).describe("Seed of the pictures."),
});

const data = z.strictObject({
  train: path.optional().describe("Training set: COCO .json, YOLO data.yaml, a folder (YOLO, VOC or unlabelled pictures), or a .txt list."),
  val: path.optional().describe("Validation set, in any of the same forms; it must be labelled. Epochs, float layers and the like are chosen on it."),
  test: path.optional().describe("Test set, in any of the same forms: the reported figures come from it. Without it they come from the validation set, on which choices were made too; the report says so."),
  images: path.optional().describe("COCO: the folder that file names are relative to, when it is not near the JSON."),
  classes: z.array(z.string().min(1)).min(1).optional().describe("Classes to detect, by name; default all of the training set's."),
  labelNames: z.array(z.string().min(1)).min(1).optional().describe("Class names of YOLO labels in the order of their numbers, where no data.yaml or classes.txt has them."),
  unlabelled: z.enum(["background", "teacher", "skip", "error"]).default("background").describe("What a picture without a label file is, in a YOLO or VOC set that has label files: without objects (background, as YOLO trainers take it), for the teacher alone (teacher; left out of val), left out (skip), or an error. How many there are is said."),
  skipInvalid: z.boolean().default(false).describe("Leave out broken pictures and labels (they are counted and reported) instead of stopping."),
  slices: z.record(z.string().regex(/^[A-Za-z0-9_-]+$/, "letters, digits, - and _ only"), path).optional().describe("Named parts of the validation set, for evidence: a .txt list of picture ids (paths relative to the pictures' folder), or a pattern of them with *."),
  calibration: path.optional().describe("Pictures to calibrate int8 with; default the training set."),
  generate: generate.optional().describe("Make the data set first; train, val and images then come from it."),
});

const side = z.int().min(64).max(4096).multipleOf(32, "must be a multiple of 32");

const student = z.union([
  z.strictObject({
    arch: z.literal("yolo").describe("A YOLOv8-class detector built from this spec."),
    width: z.number().gt(0).max(2).default(0.25).describe("Multiplies the channels (YOLOv8n: 0.25)."),
    depth: z.number().gt(0).max(2).default(0.33).describe("Multiplies the repeats of blocks (YOLOv8n: 0.33)."),
    activation: z.enum(["relu", "silu"]).default("relu").describe("relu is the cheapest in int8; silu is a little more accurate."),
    maxChannels: z.int().min(8).max(4096).default(1024).describe("No layer is wider than this before `width` multiplies it."),
    regMax: z.int().min(2).max(32).default(16).describe("Bins of the box distribution (DFL)."),
  }),
  z.strictObject({ model: path.describe("A YOLOv8 or YOLOX .onnx file to start from."), ...modelFields }),
  z.strictObject({
    from: z.literal("teacher").describe("Slice the (first) teacher's channels."),
    macs: share.describe("Share of the teacher's MACs to keep."),
  }),
]);

const augment = z.strictObject({
  mosaic: part.optional().describe("Probability of four pictures in one."),
  flip: part.optional().describe("Probability of a mirrored picture."),
  hue: part.optional().describe("Largest turn of the hue, as a part of the circle."),
  saturation: part.optional().describe("Saturation is multiplied by 1 ± up to this."),
  value: part.optional().describe("Brightness is multiplied by 1 ± up to this."),
  scale: part.optional().describe("Size is multiplied by 1 ± up to this."),
  translate: part.optional().describe("Shift by up to this part of the network's size."),
});

const distill = z.strictObject({
  epochs: z.int().min(0).max(100000).default(40).describe("Passes over the training set; 0 keeps a given student as it is."),
  batch: z.int().min(1).max(1024).default(16).describe("Pictures per step."),
  temperature: z.number().gt(0).max(100).default(1).describe("T of Hinton 2015 for the class logits."),
  alpha: part.default(0.5).describe("Share of the teacher's soft labels in the loss; 0 is hard labels alone, 1 needs no labels."),
  learningRate: rate.optional().describe("Peak learning rate of AdamW; default by the origin of the weights: 0.003 for fresh ones, 0.001 for sliced ones, 0.0002 for those of a given model."),
  weightDecay: part.default(0.025).describe("AdamW's weight decay; not on biases and normalization."),
  warmupEpochs: z.number().min(0).default(1).describe("Linear warm-up before the cosine."),
  assignment: z.enum(["atss", "teacher"]).default("atss").describe("Which anchors an object trains: by geometry (ATSS), or by the teacher's own predictions."),
  variants: z.int().min(0).max(1000).default(6).describe("Augmented variants of each picture that the teacher sees (its outputs are kept on disk). Without a teacher every epoch has fresh ones."),
  augment: z.union([z.literal(false), augment]).default({}).describe("Strengths of augmentation (defaults as Ultralytics), or false for plain pictures."),
  distribution: z.boolean().default(true).describe("Also distil the box distributions (DFL), where both heads have them."),
  features: z.enum(["none", "cwd", "pkd"]).default("none").describe("Distil the neck's features too: channel-wise (cwd, Shu 2021) or by correlation (pkd, Cao 2022); one teacher with a YOLOv8 or YOLOX head."),
  baseline: z.boolean().default(true).describe("Also train the same student without the teacher, with equal budget, to show what distillation brings."),
  evaluateEvery: z.int().min(0).optional().describe("Epochs between mAP measurements while training, of which the best state is kept; the start (where it has weights) and the end are always measured; 0 is these alone; default a fifth of the epochs."),
});

const prune = z.strictObject({
  macs: share.optional().describe("Share of the MACs to keep, e.g. 0.6."),
  parameters: share.optional().describe("Share of the parameters to keep; one of macs and parameters."),
  criterion: z.enum(["l1", "l2", "bn-scale", "taylor"]).default("taylor").describe("How the harm of removing a channel is estimated."),
  allocation: z.enum(["global", "uniform"]).default("global").describe("Compare channels over all layers, or take the same share of each."),
  round: z.int().min(1).max(128).default(8).describe("Channels are kept in multiples of this."),
  steps: z.int().min(1).max(50).default(1).describe("Cuts on the way to the target, each followed by recovery."),
  exclude: z.array(z.string().min(1)).default([]).describe("Layers that keep their channels: names or patterns with *."),
  recover: z
    .strictObject({
      epochs: z.int().min(0).default(5).describe("Epochs of training after each cut."),
      finalEpochs: z.int().min(0).optional().describe("Epochs after the last cut; default as after the others."),
      learningRate: rate.optional().describe("Peak learning rate of the recovery; default 0.0015 where the student had fresh weights, 0.0005 where it was sliced, 0.0002 where it was given."),
    })
    .prefault({})
    .describe("Recovery after each cut: the distillation again, shorter."),
});

const quantize = z.strictObject({
  method: z.enum(["minmax", "percentile", "entropy", "mse"]).default("mse").describe("How activation ranges are chosen."),
  images: z.int().min(1).default(256).describe("Calibration pictures."),
  scheme: z.enum(["cpu", "tensorrt", "both"]).default("both").describe("Which runtime's Q/DQ placement to write."),
  keepFloat: z.array(z.string().min(1)).default([]).describe("Nodes that stay float: names or patterns with *."),
  maxDrop: z.number().min(0).max(1).default(0.005).describe("Largest drop of mAP to accept, as a fraction (0.005 is half a point of 100); sensitive nodes become float until it is reached."),
  qat: z
    .strictObject({
      epochs: z.int().min(0).default(0).describe("Epochs of quantization-aware training: the training set and the teachers, with int8 rounding in the graph; 0 is none. Without it layers become float until maxDrop is kept."),
      learningRate: rate.default(0.0002).describe("Its peak learning rate."),
    })
    .prefault({})
    .describe("Quantization-aware training after calibration."),
});

const requirement = z.strictObject({
  id: z.string().min(1).describe("Your number of the requirement."),
  metric: z.string().min(1).describe("map, map50, ap.<class> (at least the limit); mapDrop, macs, parameters, sizeBytes, `<target>.p99Ms` and other quantiles (at most the limit)."),
  limit: z.number().describe("Accuracies are fractions (0.4 is 40 points of mAP or AP), latencies milliseconds."),
  slice: z.string().default("all").describe("all, small, medium, large (size of the object), or a name of data.slices."),
});

const bundle = z.strictObject({
  formats: z.array(z.enum(["cpp", "autoware", "deepstream"])).default(["cpp", "autoware", "deepstream"]).describe("What the bundle plugs into."),
  variant: z.string().min(1).optional().describe("The float variant to ship, with its int8 files; default the last one."),
  score: part.default(0.25).describe("Boxes score more than this, unless the integrator sets otherwise."),
  iou: part.default(0.45).describe("Boxes of a class that overlap more than this are one."),
  maxDetections: z.int().min(1).max(10000).default(300).describe("Most boxes of a picture."),
  autowareLabels: z.record(z.string(), z.enum(["UNKNOWN", "CAR", "TRUCK", "BUS", "TRAILER", "MOTORCYCLE", "BICYCLE", "PEDESTRIAN"])).default({}).describe("Autoware's label by class name, where the usual one does not fit."),
  limits: z.array(z.string().min(1)).default([]).describe("Known limits of use, for the model card: weather, distance, country, …"),
  archive: z.boolean().default(true).describe("Also write one .tar of it."),
});

const allowedDrop = z.strictObject({
  distill: part.default(0.01).describe("Trained student against the given or sliced one that training started from."),
  prune: part.default(0.03).describe("Pruned against trained."),
  quantize: part.optional().describe("int8 against float; default 0.01, or quantize.maxDrop where that is more."),
});

const benchmark = z.strictObject({
  runs: z.int().min(100).default(200).describe("Fewest measured runs of each variant."),
  seconds: z.number().gt(0).max(3600).default(10).describe("Shortest measuring time of each variant."),
  threads: count.optional().describe("Threads of the runtime; default all cores of the target."),
  soakSeconds: z.number().gt(0).max(86400).optional().describe("Also FPS over so many seconds, with temperature, of each variant on each target; left out: not measured."),
});

/** The schema of config.yaml. Unknown keys are refused everywhere. */
export const configSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, '.', '-' and '_' only").describe("Name of the run; its folder starts with it."),
  seed: z.int().min(0).default(1).describe("All randomness comes from it: the same seed gives the same models."),
  data: data.describe("What to train and validate on."),
  input: z.strictObject({ size: z.tuple([side, side]).optional().describe("[width, height] of the student's input in pixels; default the given student's or the teacher's.") }).prefault({}).describe("The student's input."),
  teacher: z.union([teacher, z.array(teacher).min(1)]).optional().describe("One detector to learn from, or a list with weights. Without one the student is trained on labels alone."),
  student: student.default({ arch: "yolo", width: 0.25, depth: 0.33, maxChannels: 1024, activation: "relu", regMax: 16 }).describe("What becomes the small model."),
  distill: distill.prefault({}).describe("Training of the student."),
  prune: prune.optional().describe("Structured channel pruning; left out: no pruning."),
  quantize: quantize.optional().describe("Static int8; left out: no quantization."),
  targets: z.array(targetSchema).default(["local"]).describe("Where variants are benchmarked; [] for nowhere."),
  gates: z.record(z.string(), z.number()).default({}).describe("Limits that make the run fail: mapDrop (against the teacher, else the first variant; a fraction, 0.02 is 2 points), sizeRatio, macsRatio, `<target>.p50Ms`, `<target>.p99Ms`."),
  benchmark: benchmark.prefault({}).describe("How long to measure."),
  allowedDrop: allowedDrop.prefault({}).describe("mAP that a variant may lose, as a fraction (0.02 is 2 points of 100), against the one it was made from. More is said loudly and ends `compress` with exit code 1; everything is written all the same."),
  report: z.strictObject({ pictures: z.int().min(0).max(32).default(4).describe("Validation pictures shown with the boxes of each variant.") }).prefault({}).describe("The HTML report."),
  bundle: bundle.optional().describe("What is handed to an integrator: models, C++ library, Autoware and DeepStream packages, golden vectors, evidence; left out: none."),
  requirements: z.array(requirement).optional().describe("Requirements that the bundle's evidence answers, each with its measurement and verdict."),
  threads: count.optional().describe("Threads for training and evaluation; default all cores."),
});

/** The bundle's settings where the config has none. */
export const bundleDefaults = (): BundleConfig => bundle.parse({});

/** A checked config, defaults filled in, paths as written in the file. */
export type Config = z.infer<typeof configSchema>;
export type TeacherConfig = z.infer<typeof teacher>;
export type StudentConfig = z.infer<typeof student>;
export type DistillConfig = z.infer<typeof distill>;
export type PruneConfig = z.infer<typeof prune>;
export type QuantizeConfig = z.infer<typeof quantize>;
export type BundleConfig = z.infer<typeof bundle>;
export type PreprocessConfig = z.infer<typeof preprocess>;

/** JSON Schema (draft 2020-12) of config.yaml, for editors. */
export const configJsonSchema = (): Record<string, unknown> => ({ title: "Edgestill config", ...z.toJSONSchema(configSchema, { io: "input" }) });
