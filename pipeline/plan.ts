import { resolve } from "node:path";
import type { TrainableFamily } from "../detection/canonical.ts";
import { fixedSize } from "../detection/input-size.ts";
import { describeDetector, type DetectorModel } from "../detection/detector.ts";
import { classMapping } from "../detection/evaluate.ts";
import { proofLine } from "../detection/proof.ts";
import { featuresNeedOneTeacher } from "../detection/teacher.ts";
import { trainableFamily, type TeacherMode } from "../detection/teacher-run.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { countMacs } from "../graph/macs.ts";
import { loadModel, type LoadedModel } from "../onnx/load.ts";
import { serializeModel } from "../onnx/save.ts";
import { yoloStudent } from "../students/yolo.ts";
import { sha256File } from "../files/digest.ts";
import { preprocessPreset, type Dataset, type Preprocess, type Split } from "../vision/index.ts";
import { proofPictures, type CheckContext, type Checked } from "./checks/context.ts";
import { distributionBins, provenStudent } from "./checks/student.ts";
import { checkTeacher, distributionNotes, type CheckedTeacher } from "./checks/teacher.ts";
import { checkTraining, trains } from "./checks/training.ts";
import type { PreprocessConfig, StudentConfig, TeacherConfig } from "./config-schema.ts";
import type { LoadedConfig } from "./config.ts";
import { filesDigest, openSetMemory, setDigest, type SetMemory } from "./contents.ts";
import { dataPaths } from "./generate.ts";
import { hashOf } from "./hash.ts";
import { boxCount, classesWithoutLabels, isUnlabelled, needBoxes, openPart, setNames, setNotes } from "./open-data.ts";
import type { Reporter } from "./progress.ts";
import type { WeightOrigin } from "./learning-rate.ts";
import { openSlices } from "./slices.ts";
import { checkExcluded, deriveStudent } from "./prune/prune.ts";
import { calibrationPaths } from "./quantize/calibration-data.ts";
import type { JsonObject } from "./result.ts";

export interface PlannedTeacher {
  readonly name: string;
  readonly path: string;
  /** Of the file. */
  readonly sha256: string;
  /** Of all that its outputs depend on: the weights, those in other files too, and how it is read. */
  readonly identity: string;
  /** Of the file, and of those beside it that hold weights. */
  readonly sizeBytes: number;
  readonly model: DetectorModel;
  readonly weight: number;
  /** How it will be matched with the student's anchors: proven, or run, in the plan. */
  readonly mode?: TeacherMode;
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
  /** Of pictures and labels. */
  readonly fingerprints: { readonly train: string; readonly val: string; readonly reported: string };
  /** The pictures of data.calibration that int8 ranges are measured on; undefined where they are the training set's. */
  readonly calibration: Calibration | undefined;
  readonly teachers: readonly PlannedTeacher[];
  readonly student: PlannedStudent;
  readonly report: JsonObject;
}

export interface Calibration {
  readonly paths: readonly string[];
  readonly fingerprint: string;
}

/**
 * Opens the data, loads teachers and student, and checks that they fit. What is read of the pictures is kept in `cacheFolder`, where one is given.
 * Throws a UserError naming what does not fit.
 */
export const makePlan = async (loaded: LoadedConfig, reporter: Reporter, cacheFolder?: string): Promise<Plan> => {
  const { config } = loaded;
  const teacherConfigs = config.teacher === undefined ? [] : Array.isArray(config.teacher) ? config.teacher : [config.teacher];
  const teachers: PlannedTeacher[] = [];
  for (const [index, teacher] of teacherConfigs.entries()) teachers.push(await openTeacher(teacher, index, loaded));
  const data = await openData(loaded, reporter, teachers, cacheFolder);
  const { classes } = data.train;
  for (const { path, model } of teachers) checkClasses(path, model, classes);
  const context: CheckContext = { classes, pictures: await proofPictures(data.train.items), threads: config.threads };
  const { checked: given, ...student } = await planStudent(config.student, loaded, classes, teachers, context);
  const fitted = await fitTeachers(teachers, student, loaded, context);
  checkExcluded(student.graph, config.prune?.exclude ?? []);
  const training = trains(config) ? await checkTraining(student, data.train.items, context) : [];
  const proofs = [...given.proofs, ...fitted.proofs];
  const sets = setNotes({ train: data.train, val: data.val, ...(data.reported !== data.val && { test: data.reported }) });
  const notes = [...new Set([...sets, ...teachers.flatMap(({ model }) => model.notes), ...given.notes, ...fitted.notes, ...training])];
  for (const note of notes) reporter.line(`note: ${note}`);
  for (const proof of proofs) reporter.line(proofLine(proof));
  const report = { ...planReport(data, fitted.teachers, student, notes), proofs: proofs.map((proof) => ({ ...proof, text: proofLine(proof) })) };
  return { ...data, classes, teachers: fitted.teachers, student, report };
};

/** The teachers as they will be used with this student, tried before anything is trained. */
const fitTeachers = async (teachers: readonly PlannedTeacher[], { graph, family, contract }: PlannedStudent, { config: { distill } }: LoadedConfig, context: CheckContext): Promise<Checked & { readonly teachers: readonly PlannedTeacher[] }> => {
  const regMax = distill.distribution ? distributionBins(graph, family) : undefined;
  const features = distill.features !== "none";
  const checked: (PlannedTeacher & CheckedTeacher)[] = [];
  for (const teacher of teachers) checked.push({ ...teacher, ...(await checkTeacher(teacher.path, teacher.model, { size: contract.size, regMax, features }, context)) });
  if (features && distill.alpha > 0 && teachers.length > 0 && (checked.length > 1 || checked[0]?.mode === "decoded")) throw featuresNeedOneTeacher();
  return {
    teachers: teachers.map((teacher, index) => ({ ...teacher, mode: checked[index]!.mode })),
    proofs: checked.flatMap(({ proofs }) => proofs), notes: [...checked.flatMap(({ notes }) => notes), ...distributionNotes(checked, regMax)],
  };
};

const openData = async (loaded: LoadedConfig, reporter: Reporter, teachers: readonly PlannedTeacher[], cacheFolder: string | undefined) => {
  const { config } = loaded;
  const { train: trainPath, val: valPath, test: testPath, images, slices } = await dataPaths(loaded, reporter);
  const memories = new Map<Split, SetMemory>();
  const open = async (path: string, split: Split, classes: readonly string[] | undefined): Promise<Dataset> => {
    const memory = memories.get(split) ?? (await openSetMemory(cacheFolder, [path, images ?? null, split], reporter));
    memories.set(split, memory);
    try {
      return await openPart(path, split, { data: config.data, images, classes, reporter, memory });
    } catch (error) {
      await memory.save(); // the pictures that are right are not decoded again when the others are mended
      throw error;
    }
  };
  const opened = await open(trainPath, "train", config.data.classes);
  const isTaught = teachers.length > 0 && config.distill.alpha > 0;
  if (!isTaught && opened.items.some(({ boxes }) => boxes === null)) throw unlabelled(config.data.train ?? "the training set", "there is no teacher to label them (or distill.alpha is 0)");
  if (!isTaught) needBoxes(trainPath, opened, opened.classes);
  const named = isUnlabelled(opened) && !config.data.classes ? classesWithoutLabels(await open(valPath, "val", undefined), teachers.map(({ model }) => model.classes)) : undefined;
  const train = named ? { ...opened, classes: named.classes, notes: [...opened.notes, ...named.notes] } : opened;
  const val = await open(valPath, "val", train.classes);
  const test = testPath === undefined ? undefined : await open(testPath, "test", train.classes);
  for (const [path, set] of [[valPath, val], [testPath ?? "", test]] as const) {
    if (set?.items.some(({ boxes }) => boxes === null)) throw unlabelled(path, "mAP cannot be measured");
    if (set) needBoxes(path, set, set.classes);
  }
  const reported = test ?? val;
  const digest = async ({ items }: Dataset, split: Split): Promise<string> => {
    const memory = memories.get(split)!;
    const found = await setDigest(items, setNames[split], memory, reporter);
    await memory.save();
    return found;
  };
  const valPrint = await digest(val, "val");
  const fingerprints = { train: await digest(train, "train"), val: valPrint, reported: test ? await digest(test, "test") : valPrint };
  return { train, val, reported, slices: await openSlices(slices, reported.items), fingerprints, calibration: await openCalibration(loaded, reporter, cacheFolder) };
};

const openCalibration = async ({ config: { data, quantize }, folder }: LoadedConfig, reporter: Reporter, cacheFolder: string | undefined): Promise<Calibration | undefined> => {
  if (!quantize || data.calibration === undefined) return undefined;
  const path = resolve(folder, data.calibration);
  const paths = await calibrationPaths(path, quantize.images);
  const memory = await openSetMemory(cacheFolder, [path, "calibration"], reporter);
  const fingerprint = await filesDigest(paths, "reading the calibration pictures", memory, reporter);
  await memory.save();
  return { paths, fingerprint };
};

const openTeacher = async (teacher: TeacherConfig, index: number, { config, folder }: LoadedConfig): Promise<PlannedTeacher> => {
  const path = resolve(folder, teacher.model);
  const { sizeBytes, ...model } = await openDetector(path, teacher, config.input.size);
  const identity = hashOf(serializeModel(model.graph), model.head, model.classes, model.contract);
  return { name: index === 0 ? "teacher" : `teacher-${index + 1}`, path, sha256: await sha256File(path), identity, sizeBytes, model, weight: teacher.weight };
};

/** A detector at its own size; `wanted` is for one whose size is dynamic. */
const openDetector = async (path: string, given: Omit<TeacherConfig, "model" | "weight">, wanted: readonly [number, number] | undefined): Promise<DetectorModel & Pick<LoadedModel, "sizeBytes">> => {
  const { graph, notes, sizeBytes } = await loadModel(path);
  const size = fixedSize(graph) ?? wanted;
  const described = await describeDetector(graph, path, {
    family: given.family, outputs: given.outputs, boxes: given.boxes, coordinates: given.coordinates, labelOffset: given.labelOffset, background: given.background,
    ...(size && { size }),
    ...(given.classes && { classes: given.classes }),
    ...(size && given.preprocess !== undefined && { preprocess: preprocessOf(given.preprocess, size) }),
  });
  return { ...described, sizeBytes, notes: [...notes, ...described.notes] };
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

type CheckedStudent = PlannedStudent & { readonly checked: Checked };

const planStudent = async (student: StudentConfig, { config, folder }: LoadedConfig, classes: readonly string[], teachers: readonly PlannedTeacher[], context: CheckContext): Promise<CheckedStudent> => {
  const first = teachers[0];
  const wanted = config.input.size;
  if ("arch" in student) {
    const size = wanted ?? first!.model.contract.size;
    const { width, depth, maxChannels, activation, regMax } = student;
    const graph = yoloStudent({ classes, size, width, depth, maxChannels, activation, regMax, seed: config.seed });
    return { graph, family: "yolov8", contract: preprocessPreset("yolov8", size), origin: "fresh", checked: { proofs: [], notes: [] } };
  }
  if ("model" in student) {
    const path = resolve(folder, student.model);
    const model = await openDetector(path, student, wanted);
    checkClasses(path, model, classes);
    return trainable(path, model, wanted, context);
  }
  const { path, model } = first!;
  const whole = await trainable(path, model, wanted, context, "student before it is sliced");
  return { ...whole, graph: (await deriveStudent(whole.graph, { macs: student.macs })).graph, origin: "sliced" };
};

/** A given detector with the data's classes and the wanted size, its head ready for training. */
const trainable = async (path: string, model: DetectorModel, wanted: readonly [number, number] | undefined, context: CheckContext, what = "student"): Promise<CheckedStudent> => {
  const { family } = model.head;
  if (!trainableFamily(family)) throw notTrainable(path, family);
  const contract = { ...model.contract, size: wanted ?? model.contract.size };
  const { graph, ...checked } = await provenStudent(path, model, family, contract.size, context, what);
  return { graph, family, contract, origin: "given", checked: { ...checked, notes: [...model.notes, ...checked.notes] } };
};

const planReport = (data: Pick<Plan, "train" | "val" | "reported" | "fingerprints">, teachers: readonly PlannedTeacher[], student: PlannedStudent, notes: readonly string[]): JsonObject => ({
  classes: data.train.classes, fingerprints: data.fingerprints,
  train: datasetFacts(data.train), val: datasetFacts(data.val), ...(data.reported !== data.val && { test: datasetFacts(data.reported) }),
  teachers: teachers.map(({ path, sha256, model, weight, mode = null }) => ({ model: path, sha256, family: model.head.family, size: model.contract.size, weight, mode })),
  student: { family: student.family, size: student.contract.size, origin: student.origin, ...costFacts(student.graph) },
  notes,
});

const costFacts = (graph: Graph): JsonObject => {
  const { macs, parameters } = countMacs(graph);
  return { macs, parameters };
};

const datasetFacts = (dataset: Dataset): JsonObject => ({
  images: dataset.items.length, boxes: boxCount(dataset), problems: dataset.problems.length, droppedBoxes: dataset.droppedBoxes,
});

const unlabelled = (path: string, consequence: string): UserError =>
  new UserError("UNLABELLED", `The dataset ${path} has pictures without labels: ${consequence}.`, "give labels (COCO JSON, YOLO txt or VOC XML), or another path.");

const notTrainable = (path: string, family: string): UserError =>
  new UserError("NOT_TRAINABLE", `${path} has a ${family} head; students are trained with YOLOv8 or YOLOX heads.`,
    "use it as the teacher and build a student from a spec: student: {arch: yolo}.");
