import { has, isGrid, keepsExportersNames, leftUnread, tableOf, unread, type Facts } from "./facts.ts";
import { candidate, type Layout } from "./layout.ts";
import { boxReadings, type BoxReading } from "./forms.ts";
import type { Candidate, HeadFamily, NearMiss, RowsHead, TableHead, TensorInfo } from "./types.ts";

/** One output with a finished box a row: where its numbers stand. */
interface RowForm {
  readonly name: string;
  readonly ranks: readonly number[];
  readonly columns: 6 | 7;
  readonly box: number;
  readonly score: number;
  readonly label: number;
  readonly picture: number | null;
  /** What its exporters write, and what others write in the same shape. */
  readonly usual: BoxReading & { readonly labelOffset: number };
  readonly doubt: (facts: Facts, name: string) => number;
}

const pixelCorners = { form: "xyxy", coordinates: "pixels", labelOffset: 0 } as const;

/** What YOLO-NAS calls its rows of seven; of no rows at all only the name tells. */
const isFlat = (name: string): boolean => /flat_pred/.test(name);

const rowForms: readonly RowForm[] = [
  {
    name: "end2end",
    ranks: [2, 3],
    columns: 6,
    box: 0,
    score: 4,
    label: 5,
    picture: null,
    usual: pixelCorners,
    doubt: (facts) => (has(facts, "GridSample") ? 1 : 0),
  },
  {
    name: "paddle-nms",
    ranks: [2, 3],
    columns: 6,
    box: 2,
    score: 1,
    label: 0,
    picture: null,
    usual: pixelCorners,
    doubt: () => 2,
  },
  {
    name: "label-score",
    ranks: [2, 3],
    columns: 6,
    box: 0,
    score: 5,
    label: 4,
    picture: null,
    usual: pixelCorners,
    doubt: () => 3,
  },
  {
    name: "yolov7-end2end",
    ranks: [2],
    columns: 7,
    box: 1,
    score: 6,
    label: 5,
    picture: 0,
    usual: pixelCorners,
    doubt: (_, name) => (isFlat(name) ? 1 : 0),
  },
  {
    name: "yolonas-flat",
    ranks: [2],
    columns: 7,
    box: 1,
    score: 5,
    label: 6,
    picture: 0,
    usual: pixelCorners,
    doubt: (_, name) => (isFlat(name) ? 0 : 1),
  },
  {
    name: "efficientdet",
    ranks: [3],
    columns: 7,
    box: 1,
    score: 5,
    label: 6,
    picture: 0,
    usual: { form: "yxyx", coordinates: "pixels", labelOffset: 1 },
    doubt: () => 0,
  },
  {
    name: "detection-output",
    ranks: [4],
    columns: 7,
    box: 3,
    score: 2,
    label: 1,
    picture: 0,
    usual: { form: "xyxy", coordinates: "unit", labelOffset: 1 },
    doubt: () => 0,
  },
];

const recognise =
  (form: RowForm) =>
  (facts: Facts): readonly (Candidate | NearMiss)[] => {
    if (facts.task !== undefined && facts.task !== "detect") return [];
    return facts.outputs.flatMap((output): readonly (Candidate | NearMiss)[] => {
      const table = tableOf(output);
      if (!table || !form.ranks.includes(output.shape.length) || table.b !== form.columns || isGrid(facts, table.a))
        return [];
      const rest = unread(facts, [output.name], isCount);
      if (rest.length > 0) return [{ layout: form.name, why: leftUnread(rest) }];
      if (facts.classes === undefined)
        return [{ layout: form.name, why: `"${output.name}" does not tell how many classes there are`, classes: true }];
      return candidates(form, facts, output, facts.classes);
    });
  };

const isCount = ({ shape, type, name }: TensorInfo): boolean =>
  (type === undefined ? /num|count/i.test(name) : /int/.test(type)) && shape.length <= 2 && (shape.at(-1) ?? 1) === 1;

const candidates = (
  form: RowForm,
  facts: Facts,
  output: TensorInfo,
  classCount: number,
): readonly (Candidate | NearMiss)[] => {
  const isRtDetr = facts.metadata?.get("head") === "RTDETRDecoder";
  const usual = isRtDetr ? ({ form: "cxcywh", coordinates: "unit", labelOffset: 0 } as const) : form.usual;
  // EfficientDet's rows look like others' with x first; only its output's name tells.
  const weak = !(form.name === "efficientdet"
    ? /^detections(:0)?$/.test(output.name)
    : facts.ultralytics || facts.family === "end2end");
  const base = { classCount, outputNames: [output.name], size: facts.size } as const;
  return boxReadings(facts, usual, weak, usual.labelOffset).map(({ form: box, coordinates, labelOffset, doubt }) => {
    const family: HeadFamily = box === "cxcywh" && coordinates === "unit" ? "detr" : "end2end";
    const isPlain =
      form.name === "end2end" &&
      output.shape.length === 3 &&
      box === "xyxy" &&
      coordinates === "pixels" &&
      labelOffset === 0;
    const plain: RowsHead = { kind: "rows", family: "end2end", ...base, needsNms: false };
    const table: TableHead = {
      kind: "table",
      family,
      ...base,
      needsNms: false,
      boxes: { output: 0, column: form.box },
      channelsFirst: false,
      form: box,
      coordinates,
      scores: {
        by: "label",
        score: { output: 0, column: form.score },
        label: { output: 0, column: form.label },
        labelOffset,
      },
      count: null,
      pictureColumn: form.picture,
      strides: null,
      bins: null,
    };
    return candidate(
      form.name === "end2end" && family === "detr" ? "rtdetr-rows" : form.name,
      isPlain ? plain : table,
      {
        doubt: doubt + form.doubt(facts, output.name),
        weak: weak && !(isPlain && keepsExportersNames(facts)),
      },
    );
  });
};

export const rowLayouts: readonly Layout[] = [
  ...rowForms.map(
    (form) =>
      ({
        name: form.name,
        family: "end2end",
        preprocess: ["end2end", "label-score"].includes(form.name) ? "yolov8" : "stretch",
        recognise: (facts: Facts) => recognise(form)(facts).filter(({ layout }) => layout !== "rtdetr-rows"),
      }) as const,
  ),
  {
    name: "rtdetr-rows",
    family: "detr",
    preprocess: "stretch",
    recognise: (facts) => recognise(rowForms[0]!)(facts).filter(({ layout }) => layout === "rtdetr-rows"),
  },
];
