import { UserError } from "../../graph/error.ts";
import type { Detection } from "../../vision/index.ts";
import { storedTypes, type StoredType } from "./files.ts";

export interface IndexedOutput {
  readonly key: string;
  readonly tolerance: number;
  /** float32 values of the first output that the head reads. */
  readonly file: string;
  /** The model's other outputs. */
  readonly further: readonly { readonly type: StoredType; readonly file: string; readonly name: string }[];
  readonly boxes: readonly Detection[];
  readonly pixelTolerance: number;
}

export interface IndexedPicture {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly file: string;
  readonly letterbox: string;
  readonly tensor: string;
  readonly outputs: readonly IndexedOutput[];
}

export interface GoldenIndex {
  readonly thresholds: { readonly scoreThreshold: number; readonly iouThreshold: number; readonly maxDetections: number; readonly multiLabel: boolean };
  readonly pictures: readonly IndexedPicture[];
}

type Loose<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

/** Fields of a line that are numbers: a tolerance that is none would hold for every difference. */
const numberFields: Readonly<Record<string, readonly number[]>> = { thresholds: [0, 1, 2, 3], picture: [1, 2], output: [1], boxes: [1, 2], box: [0, 1, 2, 3, 4, 5] };

/** Reads golden/index.txt. Throws UserError GOLDEN_INDEX naming the first line that is not of its form. */
export const parseGoldenIndex = (text: string): GoldenIndex => {
  const lines = text.split("\n");
  if (lines[0] !== "edgestill-golden 1") throw badLine(1, lines[0] ?? "");
  let thresholds: GoldenIndex["thresholds"] | undefined;
  const pictures: Loose<IndexedPicture>[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === "") continue;
    const [kind, ...fields] = line.split(" ");
    const numbers = fields.map(Number);
    if (Object.hasOwn(numberFields, kind ?? "") && numberFields[kind!]!.some((at) => (fields[at] ?? "") === "" || !Number.isFinite(numbers[at]))) throw badLine(index + 1, line);
    const picture = pictures.at(-1);
    const output = picture?.outputs.at(-1) as Loose<IndexedOutput> | undefined;
    if (kind === "thresholds" && fields.length === 4) thresholds = { scoreThreshold: numbers[0]!, iouThreshold: numbers[1]!, maxDetections: numbers[2]!, multiLabel: numbers[3] === 1 };
    else if (kind === "picture" && fields.length === 4) pictures.push({ id: fields[0]!, width: numbers[1]!, height: numbers[2]!, file: fields[3]!, letterbox: "", tensor: "", outputs: [] });
    else if (kind === "letterbox" && picture && fields.length === 1) picture.letterbox = fields[0]!;
    else if (kind === "tensor" && picture && fields.length === 1) picture.tensor = fields[0]!;
    else if (kind === "output" && picture && fields.length === 3) picture.outputs.push({ key: fields[0]!, tolerance: numbers[1]!, file: fields[2]!, further: [], boxes: [], pixelTolerance: 0 });
    else if (kind === "further" && output && fields.length >= 3 && Object.hasOwn(storedTypes, fields[0]!)) output.further.push({ type: fields[0] as StoredType, file: fields[1]!, name: fields.slice(2).join(" ") });
    else if (kind === "boxes" && output && output.key === fields[0] && fields.length === 3) output.pixelTolerance = numbers[2]!;
    else if (kind === "box" && output && fields.length === 6) output.boxes.push({ box: [numbers[0]!, numbers[1]!, numbers[2]!, numbers[3]!], score: numbers[4]!, classIndex: numbers[5]! });
    else throw badLine(index + 1, line);
  }
  if (!thresholds) throw badLine(2, "no thresholds");
  return { thresholds, pictures };
};

const badLine = (line: number, text: string): UserError =>
  new UserError("GOLDEN_INDEX", `golden/index.txt:${line} is not of a known form: "${text.slice(0, 100)}".`, "verify with the version of edgestill that made the bundle (manifest.json, tool.version), or make the bundle anew.");
