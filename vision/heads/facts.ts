import { cellCount, rareStrideSets, strideSets } from "./grid.ts";
import { classNames } from "./names.ts";
import type { HeadQuestion, TensorInfo } from "./types.ts";

/** A question with what follows from it. */
export interface Facts extends HeadQuestion {
  /** The class count, if anything states it. */
  readonly classes: number | undefined;
  /** The metadata is an Ultralytics export's: its conventions hold (labels from 0, corners in pixels). */
  readonly ultralytics: boolean;
  readonly task: string | undefined;
}

const ultralyticsKeys = ["stride", "task", "imgsz", "author", "head", "end2end"];

export const factsOf = (question: HeadQuestion): Facts => {
  const metadata = question.metadata ?? new Map<string, string>();
  const { only } = question;
  return {
    ...question,
    outputs: only ? question.outputs.filter(({ name }) => only.includes(name)) : question.outputs,
    classes: question.classCount ?? classNames(metadata)?.length,
    ultralytics: metadata.has("names") && ultralyticsKeys.some((key) => metadata.has(key)),
    task: metadata.get("task")?.replace(/^["']|["']$/g, ""),
  };
};

/**
 * Class names as a Python map beside an output called output0: an Ultralytics export of which only the names were
 * kept, whose usual form is taken where a run does not contradict it.
 */
export const keepsExportersNames = ({ outputs, metadata }: Facts): boolean =>
  outputs[0]?.name === "output0" && /^\s*\{\s*0\s*:/.test(metadata?.get("names") ?? "");

export const has = (facts: Facts, op: string): boolean => (facts.ops?.get(op) ?? 0) > 0;

/**
 * An output seen as a table of rows; `columns` is 1 for one number a row. Dimensions of 1 in the middle are not
 * counted.
 */
export interface TableInfo {
  readonly name: string;
  readonly type: string | undefined;
  readonly rank: number;
  readonly a: number | null;
  readonly b: number | null;
}

/** [N, a, b], [N, a, 1, b], [N, 1, a, b], or [a, b] without a batch; null for anything else. */
export const tableOf = ({ name, shape, type }: TensorInfo): TableInfo | null => {
  const dims =
    shape.length === 4
      ? shape[2] === 1
        ? [shape[0], shape[1], shape[3]]
        : shape[1] === 1
          ? [shape[0], shape[2], shape[3]]
          : shape
      : shape;
  if (dims.length < 2 || dims.length > 3) return null;
  return { name, type, rank: dims.length, a: dims.at(-2) ?? null, b: dims.at(-1) ?? null };
};

export const fits = (dimension: number | null | undefined, wanted: number): boolean =>
  dimension === null || dimension === wanted;

/** The strides whose cells are as many as the rows, `anchors` to a cell; with `rare` also unusual levels. */
export const stridesOf = (facts: Facts, rows: number | null, anchors: number, rare = false): readonly number[] | null =>
  [...strideSets, ...(rare ? rareStrideSets : [])].find((set) => fits(rows, anchors * cellCount(facts.size, set))) ??
  null;

export const isGrid = (facts: Facts, rows: number | null): boolean =>
  rows !== null && [1, 3].some((anchors) => stridesOf(facts, rows, anchors) !== null);

/** The outputs that are neither read nor explained. */
export const unread = (
  facts: Facts,
  read: readonly string[],
  explained: (output: TensorInfo) => boolean = () => false,
): readonly TensorInfo[] => facts.outputs.filter((output) => !read.includes(output.name) && !explained(output));

export const shapeText = (outputs: readonly TensorInfo[]): string =>
  outputs.map(({ name, shape }) => `"${name}" [${shape.map((d) => d ?? "?").join(", ")}]`).join(", ");

export const leftUnread = (outputs: readonly TensorInfo[]): string => `${shapeText(outputs)} would be left unread`;

export const classesDiffer = (columns: number, wanted: number): string =>
  `${columns} class columns, but ${wanted} class names`;
