import { leftUnread, stridesOf, tableOf, unread, type Facts } from "./facts.ts";
import { candidate, type Layout } from "./layout.ts";
import type { Candidate, HeadFamily, NearMiss, TableHead, TensorInfo } from "./types.ts";

/**
 * Ultralytics' segment and pose exports: a detector whose rows go on with mask coefficients or keypoints, which
 * are left unread.
 */
interface Extra {
  readonly family: Extract<HeadFamily, "segment" | "pose">;
  /** Columns after the classes; null where nothing tells. */
  readonly columns: (facts: Facts, columns: number, others: number) => number | null;
  readonly explains: (facts: Facts) => (output: TensorInfo) => boolean;
}

/** Mask prototypes [N, channels, H / 4, W / 4]. */
const isPrototype =
  ({ size: [width, height] }: Facts) =>
  ({ shape }: TensorInfo): boolean =>
    shape.length === 4 &&
    (shape[1] ?? 0) > 1 &&
    (shape[1] ?? 0) < 256 &&
    shape[2] === Math.ceil(height / 4) &&
    shape[3] === Math.ceil(width / 4);

const remaining = (facts: Facts, columns: number, others: number): number | null =>
  facts.classes === undefined ? null : columns - others - facts.classes;

const keypointColumns = (facts: Facts): number | null => {
  const [points, values] = [...(facts.metadata?.get("kpt_shape") ?? "").matchAll(/\d+/g)].map(Number);
  return points !== undefined && values !== undefined ? points * values : null;
};

const extras: readonly Extra[] = [
  {
    family: "segment",
    explains: isPrototype,
    columns: (facts, columns, others) => {
      const prototype = facts.outputs.find(isPrototype(facts));
      return prototype?.shape[1] ?? (facts.task === "segment" ? remaining(facts, columns, others) : null);
    },
  },
  {
    family: "pose",
    explains: () => () => false,
    columns: (facts, columns, others) =>
      facts.task === "pose" ? (keypointColumns(facts) ?? remaining(facts, columns, others)) : null,
  },
];

const recognise =
  (extra: Extra) =>
  (facts: Facts): readonly (Candidate | NearMiss)[] => {
    if (facts.task !== undefined && facts.task !== extra.family) return [];
    return facts.outputs.flatMap((output): readonly (Candidate | NearMiss)[] => {
      const table = tableOf(output);
      if (table?.rank !== 3) return [];
      const { a, b, name } = table;
      return [
        ...dense(extra, facts, name, b, a, 1, true),
        ...dense(extra, facts, name, a, b, 3, false),
        ...endToEnd(extra, facts, name, b),
      ];
    });
  };

const dense = (
  extra: Extra,
  facts: Facts,
  name: string,
  anchors: number | null,
  columns: number | null,
  perCell: 1 | 3,
  channelsFirst: boolean,
): readonly (Candidate | NearMiss)[] => {
  const strides = stridesOf(facts, anchors, perCell);
  const others = perCell === 3 ? 5 : 4;
  if (!strides || columns === null) return [];
  const more = extra.columns(facts, columns, others);
  if (more === null || more < 1) return [];
  const classCount = columns - others - more;
  if (classCount < 1) return [];
  if (facts.classes !== undefined && facts.classes !== classCount) {
    return [
      {
        layout: extra.family,
        why: `${columns} columns are ${others} of the box, ${more} more and ${classCount} classes, but there are ${facts.classes} class names`,
        classes: true,
      },
    ];
  }
  const objectness = perCell === 3 ? { output: 0, column: 4 } : null;
  return settle(extra, facts, name, {
    kind: "table",
    family: extra.family,
    classCount,
    outputNames: [name],
    size: facts.size,
    needsNms: true,
    boxes: { output: 0, column: 0 },
    channelsFirst,
    form: "cxcywh",
    coordinates: "pixels",
    scores: {
      by: "class",
      at: { output: 0, column: others },
      channelsFirst,
      activation: "none",
      background: null,
      objectness,
    },
    count: null,
    pictureColumn: null,
    strides,
    bins: null,
  });
};

/** Rows x1, y1, x2, y2, score, class and the extra columns, of an end-to-end export. */
const endToEnd = (
  extra: Extra,
  facts: Facts,
  name: string,
  columns: number | null,
): readonly (Candidate | NearMiss)[] => {
  if (facts.task !== extra.family || facts.classes === undefined || columns === null) return [];
  const prototype = facts.outputs.find(isPrototype(facts));
  const more = extra.family === "segment" ? (prototype?.shape[1] ?? null) : keypointColumns(facts);
  if (more === null || columns !== 6 + more) return [];
  return settle(extra, facts, name, {
    kind: "table",
    family: extra.family,
    classCount: facts.classes,
    outputNames: [name],
    size: facts.size,
    needsNms: false,
    boxes: { output: 0, column: 0 },
    channelsFirst: false,
    form: "xyxy",
    coordinates: "pixels",
    scores: { by: "label", score: { output: 0, column: 4 }, label: { output: 0, column: 5 }, labelOffset: 0 },
    count: null,
    pictureColumn: null,
    strides: null,
    bins: null,
  });
};

const settle = (extra: Extra, facts: Facts, name: string, head: TableHead): readonly (Candidate | NearMiss)[] => {
  const rest = unread(facts, [name], extra.explains(facts));
  return rest.length > 0 ? [{ layout: extra.family, why: leftUnread(rest) }] : [candidate(extra.family, head)];
};

export const extraLayouts: readonly Layout[] = extras.map((extra) => ({
  name: extra.family,
  family: extra.family,
  preprocess: "yolov8",
  recognise: recognise(extra),
}));
