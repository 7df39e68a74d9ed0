import { classesDiffer, isGrid, leftUnread, stridesOf, tableOf, unread, type Facts, type TableInfo } from "./facts.ts";
import { boxReadings } from "./forms.ts";
import { candidate, type Layout } from "./layout.ts";
import type { Candidate, ClassColumns, NearMiss, TableHead } from "./types.ts";

interface Pair {
  readonly boxes: TableInfo;
  readonly boxesFirst: boolean;
  readonly scores: TableInfo;
  readonly scoresFirst: boolean;
  readonly rows: number | null;
  readonly columns: number | null;
}

/** Every way in which one output holds boxes and another the scores of the same rows. */
const pairsOf = (facts: Facts): readonly Pair[] => {
  const tables = facts.outputs.flatMap((output) => tableOf(output) ?? []);
  const found = tables.flatMap((boxes) =>
    tables.flatMap((scores) => (scores === boxes || scores.rank !== boxes.rank ? [] : pairings(boxes, scores))),
  );
  const named = found.filter(
    ({ boxes, scores }) => /box|bbox|coord|loc/i.test(boxes.name) && !/box|bbox|coord|loc/i.test(scores.name),
  );
  return named.length > 0 ? named : found;
};

const pairings = (boxes: TableInfo, scores: TableInfo): readonly Pair[] =>
  [false, true].flatMap((boxesFirst) => {
    const [rows, four] = boxesFirst ? [boxes.b, boxes.a] : [boxes.a, boxes.b];
    if (four !== 4 || (boxesFirst && boxes.b !== null && boxes.b <= 4)) return [];
    const pair = (scoresFirst: boolean): Pair => ({
      boxes,
      boxesFirst,
      scores,
      scoresFirst,
      rows,
      columns: scoresFirst ? scores.a : scores.b,
    });
    if (scores.a === rows) return [pair(false)];
    return scores.b === rows ? [pair(true)] : [];
  });

type Activation = Pick<ClassColumns, "activation" | "background">;

interface ClassReading extends Activation {
  readonly classCount: number;
  readonly doubt: number;
}

/**
 * What the score columns can be. A background column comes first (SSD) or last (DETR); logits with one are a
 * softmax's.
 */
const classReadings = (
  { classes, background, names }: Facts,
  columns: number | null,
  areLogitsUsual: boolean,
): readonly ClassReading[] => {
  const plain = (classCount: number, doubt: number): ClassReading[] => [
    { classCount, activation: "none", background: null, doubt: doubt + (areLogitsUsual ? 1 : 0) },
    { classCount, activation: "sigmoid", background: null, doubt: doubt + (areLogitsUsual ? 0 : 1) },
  ];
  const withBackground = (classCount: number, at: number, doubt: number): ClassReading[] => [
    { classCount, activation: "none", background: at, doubt: doubt + (areLogitsUsual ? 1 : 0) },
    { classCount, activation: "softmax", background: at, doubt: doubt + (areLogitsUsual ? 0 : 1) },
  ];
  const width = columns ?? classes;
  if (width === undefined) return [];
  if (background !== undefined)
    return background < width && (classes === undefined || classes === width - 1)
      ? withBackground(width - 1, background, 0)
      : [];
  const [first, last] = areLogitsUsual ? [1, 0] : [0, 1];
  const both = (doubt: number): ClassReading[] => [
    ...withBackground(width - 1, 0, doubt + first),
    ...withBackground(width - 1, width - 1, doubt + last),
  ];
  if (classes === undefined) return [...plain(width, width === 80 ? 0 : 1), ...both(width === 81 ? 0 : 2)];
  const named = classes === width && names ? backgroundName(names) : null;
  if (named !== null) return withBackground(width - 1, named, 0);
  if (classes === width) return plain(width, 0);
  return classes === width - 1 ? both(0) : [];
};

/** The first or last name of a list that has the background among the classes. */
export const backgroundName = (names: readonly string[]): number | null => {
  const at = [0, names.length - 1].find((index) => /^_*(background|bg|no[ _-]?object)_*$/i.test(names[index] ?? ""));
  return at ?? null;
};

const recognise = (facts: Facts): readonly (Candidate | NearMiss)[] => {
  if (facts.task !== undefined && facts.task !== "detect") return [];
  return pairsOf(facts).flatMap((pair): readonly (Candidate | NearMiss)[] => {
    const { boxes, scores, rows, columns } = pair;
    const rest = unread(facts, [boxes.name, scores.name]);
    if (rest.length > 0) return [{ layout: "boxes-scores", why: leftUnread(rest) }];
    const grid = isGrid(facts, rows);
    // The logits of a transformer's queries; without class names their activation is not known.
    const isDetr = /logits/i.test(scores.name) || (!grid && rows !== null && rows <= 1000);
    if (facts.classes === undefined && isDetr && columns !== 80 && columns !== 81 && /logits/i.test(scores.name))
      return [{ layout: "detr", why: `"${scores.name}" does not tell how many classes there are`, classes: true }];
    const classForms = classReadings(facts, columns, isDetr);
    if (classForms.length === 0 && columns !== null && facts.classes !== undefined)
      return [{ layout: "boxes-scores", why: classesDiffer(columns, facts.classes), classes: true }];
    return classForms.flatMap((classForm) => candidates(facts, pair, classForm, isDetr, grid));
  });
};

const candidates = (
  facts: Facts,
  { boxes, boxesFirst, scores, scoresFirst, rows }: Pair,
  { classCount, activation, background, doubt }: ClassReading,
  isDetr: boolean,
  grid: boolean,
): readonly Candidate[] => {
  const isNamed = (/logits/i.test(scores.name) && /box/i.test(boxes.name)) || /detection_boxes/.test(boxes.name);
  const usual = /detection_boxes/.test(boxes.name)
    ? ({ form: "yxyx", coordinates: "unit" } as const)
    : isDetr
      ? ({ form: "cxcywh", coordinates: "unit" } as const)
      : ({ form: "xyxy", coordinates: grid ? "pixels" : "unit" } as const);
  const strides = grid ? stridesOf(facts, rows, 1) : null;
  return boxReadings(facts, usual, !isNamed, null).map(({ form, coordinates, doubt: boxDoubt }) => {
    const family = form === "cxcywh" && coordinates === "unit" && isDetr ? "detr" : "boxes";
    const head: TableHead = {
      kind: "table",
      family,
      classCount,
      outputNames: [boxes.name, scores.name],
      size: facts.size,
      needsNms: family === "boxes",
      boxes: { output: 0, column: 0 },
      channelsFirst: boxesFirst,
      form,
      coordinates,
      scores: {
        by: "class",
        at: { output: 1, column: 0 },
        channelsFirst: scoresFirst,
        activation,
        background,
        objectness: null,
      },
      count: null,
      pictureColumn: null,
      strides,
      bins: null,
    };
    return candidate(family === "detr" ? "detr" : "boxes-scores", head, { doubt: doubt + boxDoubt, weak: !isNamed });
  });
};

export const pairLayouts: readonly Layout[] = [
  {
    name: "boxes-scores",
    family: "boxes",
    preprocess: "yolov8",
    recognise: (facts) => recognise(facts).filter(({ layout }) => layout !== "detr"),
  },
  {
    name: "detr",
    family: "detr",
    preprocess: "imagenet",
    recognise: (facts) => recognise(facts).filter(({ layout }) => layout === "detr"),
  },
];
