import type { z } from "zod";
import { UserError } from "../graph/error.ts";

/** Marks a key of a config whose value is code or names some: `.meta(runsCode("…"))` of its row in the schema. `why` says what runs where. */
export const runsCode = (why: string): { readonly runsCode: string } => ({ runsCode: why });

/** How much a config may do. */
export interface Trust {
  /** Keys that run code are allowed; default true. False is `--no-code`, for a config that somebody else wrote. */
  readonly allowCode?: boolean;
}

/** A key of a config that runs code. */
export interface CodeKey {
  readonly path: readonly (string | number)[];
  readonly why: string;
}

type Part = z.core.JSONSchema.BaseSchema;
const parts = (value: unknown): Part[] => (Array.isArray(value) ? value.flatMap(parts) : typeof value === "object" && value !== null ? [value as Part] : []);

/** The marked keys that a config sets, found along its JSON Schema. */
export const codeKeys = (value: unknown, schema: Part, path: readonly (string | number)[] = []): CodeKey[] => {
  if (typeof schema["runsCode"] === "string" && value !== undefined) return [{ path, why: schema["runsCode"] }];
  const found = [...parts(schema.anyOf), ...parts(schema.oneOf), ...parts(schema.allOf)].flatMap((branch) => codeKeys(value, branch, path));
  if (Array.isArray(value)) found.push(...value.flatMap((item, index) => [...parts(schema.items), ...parts(schema.prefixItems?.[index])].flatMap((inner) => codeKeys(item, inner, [...path, index]))));
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      const known = schema.properties !== undefined && Object.hasOwn(schema.properties, key) ? schema.properties[key] : schema.additionalProperties;
      found.push(...parts(known).flatMap((part) => codeKeys(inner, part, [...path, key])));
    }
  }
  const seen = new Set<string>();
  return found.filter(({ path: at }) => seen.size !== seen.add(at.join("\0")).size);
};

/** Throws UserError CONFIG_RUNS_CODE that names each such key with its line. */
export const refuseCode = (file: string, keys: readonly CodeKey[], lineOf: (path: readonly (string | number)[]) => number): void => {
  if (keys.length === 0) return;
  const lines = keys.map(({ path, why }) => `  ${file}:${lineOf(path)}: ${path.join(".")}: ${why}`);
  throw new UserError("CONFIG_RUNS_CODE", `${file} runs code, which --no-code forbids:\n${lines.join("\n")}`,
    "take these keys out; or, where you trust who wrote the file, leave --no-code out.");
};
