import { UserError } from "../../graph/error.ts";
import { describeHead } from "./describe.ts";
import { shapeText, type Facts } from "./facts.ts";
import { headFamilies, type Head, type NearMiss, type TensorInfo } from "./types.ts";

export interface Refused {
  readonly head: Head;
  readonly layout: string;
  readonly problems: readonly string[];
}

const byHand =
  "say it by hand: --family, --names, --output, --boxes, --coordinates, --label-offset or --background (in the config: family, classes, outputs, boxes, coordinates, labelOffset, background)";

export const headUnknown = (facts: Facts, misses: readonly NearMiss[]): UserError => {
  const family = facts.family && facts.family !== "auto" ? ` of family ${facts.family}` : "";
  const classes = facts.classes === undefined ? "" : ` with ${facts.classes} classes`;
  const near = [...new Set(misses.map(({ layout, why }) => `as ${layout}, ${why}`))].slice(0, 4);
  return new UserError(
    "HEAD_UNKNOWN",
    `The model's outputs ${shapeText(facts.outputs) || "(none)"} are not those of a known detector at ${facts.size.join("x")}${classes}${family}.${near.length > 0 ? ` Nearest: ${near.join("; ")}.` : ""}${isMaps(facts) ? " They look like maps of the network's levels, before their boxes are put together." : ""}`,
    misses.some(({ why }) => why.includes("left unread"))
      ? "name the outputs to read with --output (outputs in the config), the others are then left out knowingly; or export the model with its detections alone."
      : `check that the model is a detector, exported with its decoded boxes, that the size is its own and that the class list fits; known families: ${headFamilies.join(", ")}.`,
  );
};

/** The options ask for what these outputs have no place for. */
export const notAsSaid = (facts: Facts, heads: readonly Head[]): UserError => {
  const { boxes, coordinates, labelOffset, background } = facts;
  const said = Object.entries({
    "--boxes": boxes,
    "--coordinates": coordinates,
    "--label-offset": labelOffset,
    "--background": background,
  }).flatMap(([option, value]) => (value === undefined ? [] : [`${option} ${value}`]));
  const readings = [...new Set(heads.map(describeHead))].slice(0, 3);
  return new UserError(
    "HEAD_UNKNOWN",
    `The model's outputs ${shapeText(facts.outputs)} can be read as ${readings.join(" or as ")}, but not with ${said.join(" ")}.`,
    "leave out the option that does not fit, or name another --family or --output.",
  );
};

const isMaps = ({ outputs }: Facts): boolean => outputs.length > 0 && outputs.every(({ shape }) => shape.length >= 4);

export const headAmbiguous = (facts: Facts, heads: readonly Head[]): UserError => {
  const texts = [...new Set(heads.map(describeHead))];
  return new UserError(
    "HEAD_AMBIGUOUS",
    `The model's outputs ${shapeText(facts.outputs)} can be read as ${texts.map((text) => `${text}`).join(" or as ")}.`,
    `say which: ${questions(heads).join(", ") || `--family (one of ${headFamilies.join(", ")}) and --names`}.`,
  );
};

/** The options that tell the readings apart. */
const questions = (heads: readonly Head[]): string[] => {
  const differs = (of: (head: Head) => unknown): boolean => new Set(heads.map(of)).size > 1;
  const values = (of: (head: Head) => unknown): string =>
    [...new Set(heads.map((head) => String(of(head))))].join(" or ");
  const form = (head: Head): string => (head.kind === "table" ? head.form : head.kind === "rows" ? "xyxy" : "cxcywh");
  const coordinates = (head: Head): string => (head.kind === "table" ? head.coordinates : "pixels");
  const offset = (head: Head): number =>
    head.kind === "table" && head.scores.by === "label" ? head.scores.labelOffset : 0;
  const background = (head: Head): number | null =>
    head.kind === "table" && head.scores.by === "class" ? head.scores.background : null;
  return [
    ...(differs(({ outputNames }) => outputNames.join())
      ? [`--output ${values(({ outputNames }) => outputNames.join())}`]
      : []),
    ...(differs(({ family }) => family) ? [`--family ${values(({ family }) => family)}`] : []),
    ...(differs(({ classCount }) => classCount) ? ["--names <the model's classes>"] : []),
    ...(differs(form) ? [`--boxes ${values(form)}`] : []),
    ...(differs(coordinates) ? [`--coordinates ${values(coordinates)}`] : []),
    ...(differs(offset) ? [`--label-offset ${values(offset)}`] : []),
    ...(differs(background) ? [`--background <column of "no object">`] : []),
  ];
};

/** Several readings of one layout fit, and nothing but the user can settle it. */
export const undecided = (facts: Facts, heads: readonly Head[]): UserError =>
  new UserError(
    "HEAD_AMBIGUOUS",
    `The outputs ${shapeText(facts.outputs)} are boxes with ${heads[0]?.kind === "table" && heads[0].scores.by === "class" ? "scores" : "scores and labels"}, but neither their names nor a trial run tell how they are to be read: ${heads.length} readings fit, e.g. ${heads.slice(0, 3).map(describeHead).join(" / ")}.`,
    `say which: ${questions(heads).join(", ")}${heads.some(({ kind }) => kind === "rows") ? " (--family end2end alone is corners in pixels with labels from 0, as YOLOv10 and 26 write them)" : ""}.`,
  );

export const contradicted = (facts: Facts, refused: readonly Refused[]): UserError =>
  new UserError(
    "HEAD_CONTRADICTED",
    `A trial run of the model contradicts how its outputs ${shapeText(facts.outputs)} would be read: ${refused
      .slice(0, 3)
      .map(({ head, problems }) => `as ${describeHead(head)}: ${problems[0]!}`)
      .join("; ")}.`,
    `${byHand}, or export the model with decoded boxes and probabilities.`,
  );

export const classCountUnknown = (facts: Facts, miss: NearMiss): UserError =>
  new UserError(
    "HEAD_CLASS_COUNT",
    `The outputs ${shapeText(facts.outputs)} look like ${miss.layout}, but: ${miss.why}.`,
    "give the model's own class list with --names (classes in the config, names in the model's metadata); --names coco is COCO's 80 classes, coco91 those numbered by COCO's category ids.",
  );

export const classCountsDiffer = (named: number, wanted: number): UserError =>
  new UserError(
    "HEAD_CLASS_COUNT",
    `The model's metadata names ${named} classes, but ${wanted} were given.`,
    "give the model's own class list; classes are matched to the dataset's by name.",
  );

export const cocoShift = (facts: Facts): UserError =>
  new UserError(
    "HEAD_CLASS_COUNT",
    `The outputs ${shapeText(facts.outputs)} hold labels from 1, and the class list is COCO's 80 names: such labels are COCO's category ids, which have gaps, so classes after the eleventh would be shifted.`,
    "give --names coco91 --label-offset 0 (classes: [coco91], labelOffset: 0); for labels 1 to 80 without gaps use names of your own.",
  );

export const noDetector = (task: string): UserError =>
  new UserError(
    "NOT_A_DETECTOR",
    `The model's metadata says that its task is "${task}"${task === "obb" ? ": its boxes are turned by an angle, which upright boxes cannot show" : ""}.`,
    "give a model of the task detect (segment and pose are read as detectors, without masks and keypoints).",
  );

export const noSuchOutput = (name: string, outputs: readonly TensorInfo[]): UserError =>
  new UserError(
    "HEAD_UNKNOWN",
    `The model has no output "${name}".`,
    `--output takes ${outputs.map((output) => `"${output.name}"`).join(", ")}.`,
  );
