import { UserError } from "../graph/error.ts";
import { canonicalClass, openDataset, type Dataset, type DatasetItem, type Split } from "../vision/index.ts";
import type { Config } from "./config-schema.ts";
import type { SetMemory } from "./contents.ts";
import { lazyTask, type Reporter } from "./progress.ts";

export interface PartOptions {
  readonly data: Config["data"];
  readonly images: string | undefined;
  /** Wanted classes. Of a training set all must be there; other sets may lack some, which is a note. */
  readonly classes: readonly string[] | undefined;
  readonly reporter: Reporter;
  /** What is known of the set's files. */
  readonly memory: Pick<SetMemory, "facts">;
}

/** Opens a set as the config says. Every picture is decoded once now (2 to 3 ms for 640x480), so that none fails after hours. */
export const openPart = async (path: string, split: Split, { data, images, classes, reporter, memory: { facts } }: PartOptions): Promise<Dataset> => {
  const task = openingTask(reporter, setNames[split]);
  try {
    return await openDataset({ path, split, ...(images !== undefined && { images }) }, {
      ...(classes && { classes }), ...(data.labelNames && { labelNames: data.labelNames }), lacking: split === "train" ? "error" : "note",
      unlabelled: split !== "train" && data.unlabelled === "teacher" ? "skip" : data.unlabelled,
      skipInvalid: data.skipInvalid, verify: "full", onProgress: task.update,
      remember: (file, name, read) => facts.get(file, name, read),
    });
  } finally {
    task.end();
  }
};

export const setNames: Readonly<Record<Split, string>> = { train: "training set", val: "validation set", test: "test set" };

/** Progress of opening; a small set is open before a bar could be read. */
export const openingTask = (reporter: Reporter, what: string): ReturnType<typeof lazyTask> => {
  const task = lazyTask(reporter, `opening the ${what}`, "picture");
  return { update: (done, total) => { if (total >= 1000) task.update(done, total); }, end: task.end };
};

/** The notes of the sets, each said with its set, and pictures that are in several. */
export const setNotes = (sets: Readonly<Partial<Record<Split, Dataset>>>): string[] => [
  ...(Object.entries(sets) as [Split, Dataset][]).flatMap(([split, { notes }]) => notes.map((note) => `${setNames[split]}: ${note}`)),
  ...overlapNotes(sets),
];

/** Figures on pictures that were trained on say little. */
const overlapNotes = (sets: Readonly<Partial<Record<Split, Dataset>>>): string[] => {
  const pairs = [["train", "val"], ["train", "test"], ["val", "test"]] as const;
  return pairs.flatMap(([one, other]) => {
    const paths = new Set(sets[one]?.items.map(({ path }) => path));
    const shared = sets[other]?.items.filter(({ path }) => paths.has(path)) ?? [];
    return shared.length === 0 ? [] : [`${shared.length} of the ${sets[other]!.items.length} pictures of the ${setNames[other]} are in the ${setNames[one]} too (first ${shared[0]!.id}): figures on them are too good`];
  });
};

export const boxCount = ({ items }: Pick<Dataset, "items">): number => items.reduce((sum, { boxes }) => sum + (boxes?.length ?? 0), 0);

export const isUnlabelled = ({ items }: Pick<Dataset, "items">): boolean => items.every(({ boxes }) => boxes === null);

/**
 * The classes of a training set without labels, where data.classes does not name them: those of the validation set that every teacher knows. The
 * teachers teach them and the validation set measures them. Throws UserError NO_COMMON_CLASS.
 */
export const classesWithoutLabels = (val: Dataset, teachers: readonly (readonly string[])[]): { readonly classes: readonly string[]; readonly notes: readonly string[] } => {
  const known = teachers.map((classes) => new Set(classes.map(canonicalClass)));
  const classes = val.classes.filter((name) => known.every((names) => names.has(canonicalClass(name))));
  if (classes.length === 0) throw noCommonClass(val.classes, teachers);
  const left = val.classes.filter((name) => !classes.includes(name));
  const notes = [
    `the training set has no labels: its classes are those of the validation set that the teacher knows: ${classes.join(", ")} (data.classes names others)`,
    ...(left.length > 0 ? [`the teacher does not know ${left.map((name) => `"${name}"`).join(", ")}: left out`] : []),
  ];
  return { classes, notes };
};

const noCommonClass = (val: readonly string[], teachers: readonly (readonly string[])[]): UserError =>
  new UserError("NO_COMMON_CLASS", `The training set has no labels, and the teacher knows none of the validation set's classes (${val.join(", ")}); it knows ${(teachers[0] ?? []).slice(0, 12).join(", ")}.`,
    "give a teacher that knows them, or name the classes as the teacher does (teacher.classes).");

/** mAP needs something to find. Throws UserError NO_GROUND_TRUTH. */
export const needBoxes = (path: string, dataset: { readonly items: readonly Pick<DatasetItem, "boxes">[] }, classes: readonly string[]): void => {
  const counted = dataset.items.some(({ boxes }) => boxes?.some(({ crowd }) => crowd !== true));
  if (!counted) throw noGroundTruth(path, dataset.items.length, classes);
};

const noGroundTruth = (path: string, pictures: number, classes: readonly string[]): UserError =>
  new UserError("NO_GROUND_TRUTH", `The ${pictures} pictures of ${path} have no boxes of ${classes.slice(0, 12).join(", ")}: mAP cannot be measured.`,
    "check that the labels lie where they are looked for, the class names, and --limit or --only where they were given.");
