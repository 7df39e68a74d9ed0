import type { Attribute } from "../attribute.ts";
import type { DataType } from "../tensor.ts";
import { microsoftSchemas } from "./microsoft.ts";
import { onnxSchemas } from "./onnx.ts";

export { newestIr, newestOpset } from "./onnx.ts";

/**
 * Signatures as make.py writes them: `since|inputs>outputs|inputs|outputs|attributes|types`, an `x` after `since` where the op ends there.
 * A parameter is `name:type`, with `?` optional, `*` variadic of one type, `**` variadic of any; a type is a name of `types` or the index
 * of a set of element types. An attribute is `name:kind`, with `!` required.
 */
export interface SchemaTable {
  readonly types: readonly string[];
  readonly ops: Readonly<Record<string, readonly string[]>>;
}

export interface Parameter {
  readonly name: string;
  /** Shared by all parameters of the same name; undefined where the parameter stands alone. */
  readonly type: string | undefined;
  /** Element types that it takes, as far as a graph can hold them; empty: it takes no tensor. */
  readonly allowed: ReadonlySet<string>;
  readonly option: "single" | "optional" | "variadic" | "heterogeneous";
}

/** What an op of one operator set takes and gives. */
export interface Signature {
  /** First version of the operator set with this signature. */
  readonly since: number;
  readonly deprecated: boolean;
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  readonly inputCount: Count;
  readonly outputCount: Count;
  readonly attributes: ReadonlyMap<string, { readonly kind: Attribute["type"] | undefined; readonly required: boolean }>;
}

interface Count {
  readonly min: number;
  readonly max: number;
}

const kinds: Readonly<Record<string, Attribute["type"]>> = {
  f: "float", i: "int", s: "string", t: "tensor", g: "graph",
  F: "floats", I: "ints", S: "strings", T: "tensors", G: "graphs",
};

const parsed = new Map<string, Signature>();
const sets = new Map<string, ReadonlySet<string>>();

const tableOf = (domain: string): SchemaTable | undefined =>
  domain === "" || domain === "ai.onnx" ? onnxSchemas : domain === "com.microsoft" ? microsoftSchemas : undefined;

/**
 * The signature of an op at a version of its operator set: "unknown domain" where no table covers the domain, "unknown op" where the
 * domain has no such op, "newer op" where it came later, "removed op" where it was taken out.
 */
export const signatureOf = (
  domain: string, opType: string, version: number,
): Signature | "unknown domain" | "unknown op" | "newer op" | "removed op" => {
  const table = tableOf(domain);
  if (!table) return "unknown domain";
  const rows = Object.hasOwn(table.ops, opType) ? table.ops[opType]! : undefined;
  if (!rows) return "unknown op";
  const row = rows.findLast((each) => Number.parseInt(each, 10) <= version);
  if (row === undefined) return "newer op";
  const signature = parsed.get(`${domain}|${opType}|${row}`) ?? parse(row, table.types);
  parsed.set(`${domain}|${opType}|${row}`, signature);
  return signature.deprecated ? "removed op" : signature;
};

const parse = (row: string, types: readonly string[]): Signature => {
  const [since = "", arity = "", inputs = "", outputs = "", attributes = "", shared = ""] = row.split("|");
  const setAt = (index: string): ReadonlySet<string> => {
    const text = types[Number(index)] ?? "";
    const known = sets.get(text) ?? new Set(text.split(" ").filter((name) => name !== ""));
    sets.set(text, known);
    return known;
  };
  const constraints = new Map(listed(shared).map((each) => each.split("=") as [string, string]));
  const [inputCount, outputCount] = arity.split(">").map(countOf);
  const parameters = (text: string): Parameter[] => listed(text).map((each) => {
    const [, name = "", type = "", ending = ""] = /^([^:]*):([^?*]*)([?*]*)$/.exec(each)!;
    const constraint = constraints.get(type);
    const option = ({ "": "single", "?": "optional", "*": "variadic", "**": "heterogeneous" } as const)[ending] ?? "single";
    const isShared = constraint !== undefined && option !== "heterogeneous";
    return { name, type: isShared ? type : undefined, allowed: setAt(constraint ?? type), option };
  });
  return {
    since: Number.parseInt(since, 10), deprecated: since.endsWith("x"), inputs: parameters(inputs), outputs: parameters(outputs),
    inputCount: inputCount!, outputCount: outputCount!,
    attributes: new Map(listed(attributes).map((each) => {
      const [name = "", kind = ""] = each.split(":");
      return [name, { kind: kinds[kind.charAt(0)], required: kind.endsWith("!") }];
    })),
  };
};

const listed = (text: string): string[] => (text === "" ? [] : text.split(","));

const countOf = (text: string): Count => {
  const [min = "", max = ""] = text.split("-");
  return { min: Number(min), max: max === "" ? Infinity : Number(max) };
};

/** The parameter of slot `slot`: the last one where it is variadic. */
export const parameterAt = (parameters: readonly Parameter[], slot: number): Parameter | undefined =>
  parameters[slot] ?? (/variadic|heterogeneous/.test(parameters.at(-1)?.option ?? "") ? parameters.at(-1) : undefined);

/** The one element type that a parameter can have. */
export const onlyType = ({ allowed }: Parameter): DataType | undefined =>
  (allowed.size === 1 ? ([...allowed][0] as DataType) : undefined);
