import type { z } from "zod";
import { quotedName } from "../escape/names.ts";

/** What a value from outside has wrong, in words for people: the one place that puts a schema's complaints into text. */
export interface SchemaProblem {
  readonly path: readonly PropertyKey[];
  /** This key of the object at `path` is wrong, not a value. */
  readonly key?: string;
  /** Names the place and the rule: `input.size.0: must be a multiple of 32`. */
  readonly message: string;
}

export type Checked<T> = { readonly data: T; readonly problems?: undefined } | { readonly data?: undefined; readonly problems: readonly [SchemaProblem, ...SchemaProblem[]] };

/** The value as the schema makes it, or every problem. `whole` names the value itself: "the config". */
export const checkSchema = <T>(schema: z.ZodType<T>, value: unknown, whole = "it"): Checked<T> => {
  const parsed = schema.safeParse(value, { error: words });
  if (parsed.success) return { data: parsed.data };
  const [first, ...more] = parsed.error.issues.flatMap((issue) => flatten(issue, whole));
  return { problems: [first ?? { path: [], message: `${whole}: ${noForm}` }, ...more] };
};

/** The first problems as one text. */
export const problemText = (problems: readonly SchemaProblem[], most = 3): string =>
  problems.slice(0, most).map(({ message }) => message).join("; ") + (problems.length > most ? `; and ${problems.length - most} more` : "");

const missing = "is missing";
const noForm = "has none of the forms that are allowed here";

/** Of a union the branch that fits best speaks, unless the schema has words of its own. */
const flatten = (issue: z.core.$ZodIssue, whole: string): SchemaProblem[] => {
  const { path, message } = issue;
  if (issue.code === "invalid_union" && message === noForm) {
    const branches = issue.errors.map((branch) => branch.flatMap((inner) => flatten({ ...inner, path: [...path, ...inner.path] }, whole)));
    const best = branches.filter((branch) => branch.length > 0).sort((a, b) => misfit(a, path) - misfit(b, path))[0];
    if (best) return best;
  }
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path, key, message: `unknown key ${quotedName([...path.map(String), key].join("."))}` }));
  return [{ path, message: message === missing ? `${path.length > 0 ? quotedName(nameOf(path, whole)) : whole} ${missing}` : `${nameOf(path, whole)}: ${message}` }];
};

/** A branch of another type altogether fits worst, then one of other keys. */
const misfit = (found: readonly SchemaProblem[], at: readonly PropertyKey[]): number =>
  found.reduce((sum, { path, key, message }) => sum + (path.length === at.length && key === undefined && !message.endsWith(missing) ? 100 : 1), 0);

const nameOf = (path: readonly PropertyKey[], whole: string): string => {
  const name = path.map(String).join(".");
  return name === "" ? whole : name.length > longestPlace ? `${name.slice(0, longestPlace)}…` : name;
};
const longestPlace = 120;

/** Text of one issue, from what it is and not from what a library says of it; a schema's own message goes before it. */
const words = (issue: z.core.$ZodRawIssue): string => {
  if (issue.code !== "custom" && issue.code !== "unrecognized_keys" && issue.input === undefined) return missing;
  switch (issue.code) {
    case "invalid_type": return `must be ${typeWords[issue.expected] ?? `of type ${issue.expected}`}, not ${kindOf(issue.input)}`;
    case "too_small": return `too small, must ${sizeOf(issue.origin, issue.exact ? "" : issue.inclusive === false ? ">" : ">=", issue.minimum)}`;
    case "too_big": return `too large, must ${sizeOf(issue.origin, issue.exact ? "" : issue.inclusive === false ? "<" : "<=", issue.maximum)}`;
    case "not_multiple_of": return `must be a multiple of ${issue.divisor}`;
    case "invalid_value": return issue.values.length === 1 ? `must be ${literal(issue.values[0])}` : `must be one of ${issue.values.map(literal).join(", ")}`;
    case "invalid_format": return "has characters that are not allowed";
    case "invalid_key": return "has a key that is not allowed";
    case "invalid_union": return noForm;
    default: return "is not allowed";
  }
};

const literal = (value: z.core.util.Primitive): string => String(value);

const sizeOf = (origin: string, sign: string, size: number | bigint): string => {
  const unit = origin === "string" ? " characters" : origin === "array" || origin === "tuple" || origin === "set" ? " entries" : "";
  return unit === "" ? `be ${sign}${size}` : `have ${sign}${size}${unit}`;
};

const typeWords: Readonly<Record<string, string>> = {
  string: "a string", number: "a number", int: "a whole number", boolean: "true or false", null: "null", array: "a list", tuple: "a list", object: "a map", record: "a map", nan: "not a number",
  never: "left out", undefined: "left out",
};

const kindOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isNaN(value) ? "what is no number" : Number.isFinite(value) ? `the number ${value}` : "an infinite number";
  return typeof value === "object" ? "a map" : typeof value === "string" ? "a string" : typeof value === "boolean" ? String(value) : `a ${typeof value}`;
};
