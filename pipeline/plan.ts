import { resolve } from "node:path";
import { canonicalDetector, inputSize, type TrainableFamily } from "../detection/canonical.ts";
import { describeDetector, writeContract, type DetectorModel } from "../detection/detector.ts";
import { classMapping } from "../detection/evaluate.ts";
import { prepareGraph } from "../detection/prepare.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { countMacs } from "../graph/macs.ts";
import { loadModel } from "../onnx/load.ts";
import { writeClassNames } from "../students/metadata.ts";
import { yoloStudent } from "../students/yolo.ts";
import { sha256File } from "../targets/digest.ts";
import { datasetFingerprint, openDataset, preprocessPreset, type Dataset, type Preprocess } from "../vision/index.ts";
import type { PreprocessConfig, StudentConfig, TeacherConfig } from "./config-schema.ts";
import type { LoadedConfig } from "./config.ts";
import { dataPaths } from "./generate.ts";
import type { Reporter } from "./progress.ts";
import type { WeightOrigin } from "./learning-rate.ts";
import { openSlices } from "./slices.ts";
import { deriveStudent } from "./prune/prune.ts";
import type { JsonObject } from "./result.ts";

export interface PlannedTeacher {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly model: DetectorModel;
  readonly weight: number;
}

/** The small model before training. */
export interface PlannedStudent {
  /** Trainable: canonical head, batch `N`, the config's classes and size. */
  readonly graph: Graph;
  readonly family: TrainableFamily;
  readonly contract: Preprocess;
  readonly origin: WeightOrigin;
}

/** Everything that is known before work starts: data, teachers and student, checked against each other. */
export interface Plan {
  readonly train: Dataset;
  /** What choices are made on: epochs, float layers. */
  readonly val: Dataset;
  /** What the reported figures come from: data.test, or the validation set where the config has none. */
  readonly reported: Dataset;
  readonly classes: readonly string[];
  /** Ids of the reported pictures of each named part. */
  readonly slices: Readonly<Record<string, ReadonlySet<string>>>;
  readonly fingerprints: { readonly train: string; readonly val: string; readonly reported: string };
  readonly teachers: readonly PlannedTeacher[];
  readonly student: PlannedStudent;
  readonly report: JsonObject;
}

/** Opens the data, loads teachers and student, and checks that they fit. Throws a UserError naming what does not. */
export const makePlan = async (loaded: LoadedConfig, reporter: Reporter): Promise<Plan> => {
  const { config } = loaded;
  const data = await openData(loaded, reporter);
  const { classes } = data.train;
  const teacherConfigs = config.teacher === undefined ? [] : Array.isArray(config.teacher) ? config.teacher : [config.teacher];
  const teachers: PlannedTeacher[] = [];
  for (const [index, teacher] of teacherConfigs.entries()) teachers.push(await openTeacher(teacher, index, loaded, classes));
  if (teachers.length === 0 && data.train.items.every(({ boxes }) => boxes === null)) throw unlabelled(config.data.train ?? "the training set", "there is no teacher to label it");
  const student = await planStudent(config.student, loaded, classes, teachers);
  const notes = [...data.train.notes, ...teachers.flatMap(({ model }) => model.notes)];
  for (const note of notes) reporter.line(`note: ${note}`);
  return { ...data, classes, teachers, student, report: planReport(data, teachers, student, notes) };
};

const openData = async (loaded: LoadedConfig, reporter: Reporter) => {
  const { config } = loaded;
  const { train: trainPath, val: valPath, test: testPath, images, slices } = await dataPaths(loaded, reporter);
  const open = (path: string, split: "train" | "val" | "test", classes: readonly string[] | undefined): Promise<Dataset> =>
    openDataset({ path, split, ...(images !== undefined && { images }) }, { ...(classes && { classes }), skipInvalid: config.data.skipInvalid });
  const train = await open(trainPath, "train", config.data.classes);
  const val = await open(valPath, "val", train.classes);
  const test = testPath === undefined ? undefined : await open(testPath, "test", train.classes);
  for (const [name, { problems }] of [["training", train], ["validation", val], ...(test ? [["test", test] as const] : [])] as const) {
    if (problems.length > 0) reporter.warn(`${problems.length} broken pictures or labels of the ${name} set are left out, first ${problems[0]!.file}: ${problems[0]!.message}`);
  }
  for (const [path, set] of [[valPath, val], [testPath ?? "", test]] as const) if (set?.items.some(({ boxes }) => boxes === null)) throw unlabelled(path, "mAP cannot be measured");
  const reported = test ?? val;
  const valPrint = datasetFingerprint(val.items);
  const fingerprints = { train: datasetFingerprint(train.items), val: valPrint, reported: test ? datasetFingerprint(test.items) : valPrint };
  return { train, val, reported, slices: await openSlices(slices, reported.items), fingerprints };
};

const openTeacher = async (teacher: TeacherConfig, index: number, { config, folder }: LoadedConfig, classes: readonly string[]): Promise<PlannedTeacher> => {
  const path = resolve(folder, teacher.model);
  const model = await openDetector(path, teacher, config.input.size);
  checkClasses(path, model, classes);
  return { name: index === 0 ? "teacher" : `teacher-${index + 1}`, path, sha256: await sha256File(path), model, weight: teacher.weight };
};

/** A detector at its own size; `wanted` is for one whose size is dynamic. */
const openDetector = async (path: string, given: Pick<TeacherConfig, "family" | "classes" | "preprocess">, wanted: readonly [number, number] | undefined): Promise<DetectorModel> => {
  const { graph, notes } = await loadModel(path);
  const size = fixedSize(graph) ?? wanted;
  const described = await describeDetector(graph, path, {
    family: given.family,
    ...(size && { size }),
    ...(given.classes && { classes: given.classes }),
    ...(size && given.preprocess !== undefined && { preprocess: preprocessOf(given.preprocess, size) }),
  });
  return { ...described, notes: [...notes, ...described.notes] };
};

/** A preset or all values, at a network size. */
export const preprocessOf = (given: PreprocessConfig, size: readonly [number, number]): Preprocess => (typeof given === "string" ? preprocessPreset(given, size) : { size, ...given });

const checkClasses = (path: string, model: DetectorModel, classes: readonly string[]): void => {
  try {
    classMapping(model.classes, classes);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(error.code, `${path}: ${error.message}`, error.nextStep, { cause: error });
    throw error;
  }
};

const planStudent = async (student: StudentConfig, { config, folder }: LoadedConfig, classes: readonly string[], teachers: readonly PlannedTeacher[]): Promise<PlannedStudent> => {
  const first = teachers[0];
  const wanted = config.input.size;
  if ("arch" in student) {
    const size = wanted ?? first!.model.contract.size;
    const { width, depth, maxChannels, activation, regMax } = student;
    return { graph: yoloStudent({ classes, size, width, depth, maxChannels, activation, regMax, seed: config.seed }), family: "yolov8", contract: preprocessPreset("yolov8", size), origin: "fresh" };
  }
  if ("model" in student) {
    const path = resolve(folder, student.model);
    const model = await openDetector(path, student, wanted);
    checkClasses(path, model, classes);
    return trainable(path, model, wanted, classes);
  }
  const { path, model } = first!;
  const whole = trainable(path, model, wanted, classes);
  return { ...whole, graph: (await deriveStudent(whole.graph, { macs: student.macs })).graph, origin: "sliced" };
};

const fixedSize = (graph: Graph): readonly [number, number] | undefined => {
  const [, , height, width] = graph.inputs[0]?.shape ?? [];
  return typeof height === "number" && typeof width === "number" ? inputSize(graph) : undefined;
};

/** A given detector with the data's classes and the wanted size, its head ready for training. */
const trainable = (path: string, model: DetectorModel, wanted: readonly [number, number] | undefined, classes: readonly string[]): PlannedStudent => {
  const { family } = model.head;
  if (family !== "yolov8" && family !== "yolox") throw notTrainable(path, family);
  const size = wanted ?? model.contract.size;
  const mapping = classMapping(model.classes, classes);
  const classRows = classes.map((_, index) => mapping.indexOf(index));
  const graph = canonicalDetector(prepareGraph(model.graph), family, { size, classRows });
  const contract = { ...model.contract, size };
  writeClassNames(graph, classes);
  writeContract(graph, contract, family);
  return { graph, family, contract, origin: "given" };
};

const planReport = (data: Pick<Plan, "train" | "val" | "reported">, teachers: readonly PlannedTeacher[], student: PlannedStudent, notes: readonly string[]): JsonObject => ({
  classes: data.train.classes,
  train: datasetFacts(data.train), val: datasetFacts(data.val), ...(data.reported !== data.val && { test: datasetFacts(data.reported) }),
  teachers: teachers.map(({ path, sha256, model, weight }) => ({ model: path, sha256, family: model.head.family, size: model.contract.size, weight })),
  student: { family: student.family, size: student.contract.size, origin: student.origin, ...costFacts(student.graph) },
  notes,
});

const costFacts = (graph: Graph): JsonObject => {
  const { macs, parameters } = countMacs(graph);
  return { macs, parameters };
};

const datasetFacts = ({ items, problems, droppedBoxes }: Dataset): JsonObject => ({
  images: items.length, boxes: items.reduce((sum, { boxes }) => sum + (boxes?.length ?? 0), 0), problems: problems.length, droppedBoxes,
});

const unlabelled = (path: string, consequence: string): UserError =>
  new UserError("UNLABELLED", `The dataset ${path} has pictures without labels: ${consequence}.`, "give labels (COCO JSON, YOLO txt or VOC XML), or another path.");

const notTrainable = (path: string, family: string): UserError =>
  new UserError("NOT_TRAINABLE", `${path} has a ${family} head; students are trained with YOLOv8 or YOLOX heads.`,
    "use it as the teacher and build a student from a spec: student: {arch: yolo}.");
