import { leftUnread, unread, type Facts } from "./facts.ts";
import { boxReadings, type BoxReading } from "./forms.ts";
import { candidate, type Layout } from "./layout.ts";
import type { Candidate, NearMiss, TableHead, TensorInfo } from "./types.ts";

/**
 * A detector after NMS: boxes [(N,) K, 4], scores [(N,) K] and labels [(N,) K], or mmdeploy's dets [N, K, 5] and
 * labels.
 */
interface Convention {
  readonly name: string;
  readonly holds: (facts: Facts, boxes: TensorInfo) => boolean;
  readonly usual: BoxReading & { readonly labelOffset: number };
}

const corners = { form: "xyxy", coordinates: "pixels" } as const;
const hasOutput = ({ outputs }: Facts, pattern: RegExp): boolean => outputs.some(({ name }) => pattern.test(name));

/** What known exporters write; the names of outputs and inputs tell them apart. */
const conventions: readonly Convention[] = [
  {
    name: "orig-target-sizes",
    holds: (facts) => facts.inputNames?.includes("orig_target_sizes") === true,
    usual: { ...corners, labelOffset: 0 },
  },
  {
    name: "tensorflow",
    holds: (facts, { name }) => /detection_boxes/.test(name) && hasOutput(facts, /detection_classes/),
    usual: { form: "yxyx", coordinates: "unit", labelOffset: 1 },
  },
  {
    name: "efficient-nms",
    holds: (facts, { name }) =>
      (/det_boxes/.test(name) && hasOutput(facts, /det_classes/)) ||
      (/detection_boxes/.test(name) && hasOutput(facts, /num_det/)),
    usual: { ...corners, labelOffset: 0 },
  },
  {
    name: "yolo-nas",
    holds: (facts, { name }) => /pred_boxes/.test(name) && hasOutput(facts, /num_predictions/),
    usual: { ...corners, labelOffset: 0 },
  },
  {
    name: "mmdeploy",
    holds: (facts, { name, shape }) => name === "dets" && shape.at(-1) === 5 && hasOutput(facts, /^labels$/),
    usual: { ...corners, labelOffset: 0 },
  },
];

/** TensorFlow's outputs that repeat the same boxes before NMS. */
const isTensorflowExtra = ({ name }: TensorInfo): boolean =>
  /^(raw_detection_|detection_multiclass_scores|detection_anchor_indices)/.test(name);

interface Roles {
  readonly boxes: TensorInfo;
  /** Absent where the fifth column of the boxes is the score. */
  readonly scores: TensorInfo | null;
  readonly labels: TensorInfo;
  readonly count: TensorInfo | null;
}

const rolesOf = (facts: Facts): Roles | null => {
  const outputs = facts.outputs.filter((output) => !isTensorflowExtra(output));
  const boxes = outputs.filter(
    ({ shape }) => (shape.length === 2 || shape.length === 3) && (shape.at(-1) === 4 || shape.at(-1) === 5),
  );
  const [box] = boxes;
  if (!box || boxes.length !== 1) return null;
  const count =
    outputs.find(
      (output) =>
        output !== box &&
        /num|count|valid/i.test(output.name) &&
        (output.shape.at(-1) ?? 1) === 1 &&
        output.shape.length < box.shape.length,
    ) ?? null;
  const flat = outputs.filter((output) => output !== box && output !== count && isColumn(output, box));
  const labels = one(
    flat.filter(({ name, type }) => (type !== undefined && /int/.test(type)) || /label|class|categor|cls/i.test(name)),
  );
  if (!labels) return null;
  if (box.shape.at(-1) === 5) return { boxes: box, scores: null, labels, count };
  const scores = one(
    flat.filter(
      (output) =>
        output !== labels &&
        (output.type === undefined ? /score|conf|prob/i.test(output.name) : /float/.test(output.type)),
    ),
  );
  return scores ? { boxes: box, scores, labels, count } : null;
};

/** One number for each row of the boxes: [(N,) K] or [(N,) K, 1]. */
const isColumn = ({ shape }: TensorInfo, { shape: box }: TensorInfo): boolean =>
  shape.length === box.length - 1 || (shape.length === box.length && shape.at(-1) === 1 && box.length === 3);

const one = <T>(items: readonly T[]): T | null => (items.length === 1 ? items[0]! : null);

const recognise = (facts: Facts): readonly (Candidate | NearMiss)[] => {
  const roles = rolesOf(facts);
  if (!roles || (facts.task !== undefined && facts.task !== "detect")) return [];
  const { boxes, scores, labels, count } = roles;
  const read = [boxes, ...(scores ? [scores] : []), labels, ...(count ? [count] : [])];
  const rest = unread(
    facts,
    read.map(({ name }) => name),
    isTensorflowExtra,
  );
  if (rest.length > 0) return [{ layout: "boxes-labels", why: leftUnread(rest) }];
  if (facts.classes === undefined)
    return [
      { layout: "boxes-labels", why: `"${labels.name}" does not tell how many classes there are`, classes: true },
    ];
  if (isCocoIds(facts))
    return [
      {
        layout: "boxes-labels",
        why: "the graph counts 90 or 91 classes (COCO's category ids, with gaps), but there are 80 class names: give --names coco91",
        classes: true,
      },
    ];
  const known = conventions.filter(({ holds }) => holds(facts, boxes));
  const usual = known.length > 0 ? known.map((convention) => convention.usual) : [{ ...corners, labelOffset: 0 }];
  return usual.flatMap((reading, index) => {
    const offset = facts.classes === 91 && reading.labelOffset === 1 ? 0 : reading.labelOffset;
    return boxReadings(facts, reading, known.length === 0, offset).map(({ form, coordinates, labelOffset, doubt }) =>
      candidate("boxes-labels", headOf(facts, roles, read, { form, coordinates }, labelOffset), {
        doubt: doubt + index,
        weak: known.length === 0,
      }),
    );
  });
};

/** Widths of the last layers of detectors that number classes as COCO does, 1 to 90 with gaps. */
const isCocoIds = ({ classes, widths }: Facts): boolean =>
  classes === 80 &&
  widths !== undefined &&
  [90, 91, 273, 364, 546, 810, 819].some((width) => widths.has(width)) &&
  ![80, 81, 240, 320, 480, 720].some((width) => widths.has(width));

const headOf = (
  facts: Facts,
  { scores, count }: Roles,
  read: readonly TensorInfo[],
  { form, coordinates }: BoxReading,
  labelOffset: number,
): TableHead => ({
  kind: "table",
  family: "boxes",
  classCount: facts.classes!,
  outputNames: read.map(({ name }) => name),
  size: facts.size,
  needsNms: false,
  boxes: { output: 0, column: 0 },
  channelsFirst: false,
  form,
  coordinates,
  scores: {
    by: "label",
    score: scores ? { output: 1, column: 0 } : { output: 0, column: 4 },
    label: { output: scores ? 2 : 1, column: 0 },
    labelOffset,
  },
  count: count ? read.length - 1 : null,
  pictureColumn: null,
  strides: null,
  bins: null,
});

export const labelledLayouts: readonly Layout[] = [
  { name: "boxes-labels", family: "boxes", preprocess: "stretch", recognise },
];
