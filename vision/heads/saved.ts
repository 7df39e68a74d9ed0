import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { parseJson } from "../../input/json.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import { boxForms, coordinateKinds, headFamilies, type Head } from "./types.ts";

const index = z.int().min(0);
const place = z.strictObject({ output: index, column: index });
const base = {
  family: z.enum(headFamilies),
  classCount: z.int().min(1),
  outputNames: z.array(z.string()).min(1),
  size: z.tuple([z.int().positive(), z.int().positive()]),
  needsNms: z.boolean(),
};
const strides = z.array(z.int().positive());

const head: z.ZodType<Head> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("dense"),
    ...base,
    channelsFirst: z.boolean(),
    objectness: z.boolean(),
    raw: z.boolean(),
    strides,
  }),
  z.strictObject({ kind: z.literal("rows"), ...base }),
  z.strictObject({
    kind: z.literal("table"),
    ...base,
    boxes: place,
    channelsFirst: z.boolean(),
    form: z.enum(boxForms),
    coordinates: z.enum(coordinateKinds),
    scores: z.discriminatedUnion("by", [
      z.strictObject({
        by: z.literal("class"),
        at: place,
        channelsFirst: z.boolean(),
        activation: z.enum(["none", "sigmoid", "softmax"]),
        background: index.nullable(),
        objectness: place.nullable(),
      }),
      z.strictObject({ by: z.literal("label"), score: place, label: place, labelOffset: z.int() }),
    ]),
    count: index.nullable(),
    pictureColumn: index.nullable(),
    strides: strides.nullable(),
    bins: z.int().min(2).nullable(),
  }),
]);

/** A head as JSON for the metadata of a file, so that it is read back as it was. */
export const serializeHead = (value: Head): string => JSON.stringify(value);

/** Reads `serializeHead` text; `source` names the file. Throws UserError BAD_HEAD. */
export const parseHead = (json: string, source: string): Head => {
  const { data, problems } = checkSchema(head, safeJson(json));
  if (!problems) return data;
  throw new UserError(
    "BAD_HEAD",
    `The description of the head in the metadata of ${source} is not readable: ${problemText(problems, 1)}.`,
    "remove edgestill.head from the metadata, or write the file again.",
  );
};

const safeJson = (text: string): unknown => {
  try {
    return parseJson(text);
  } catch {
    return undefined; // the schema says that it is no head
  }
};
