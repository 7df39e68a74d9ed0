import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manifestJsonSchema } from "../bundle/manifest-schema.ts";
import { configJsonSchema } from "../pipeline/config-schema.ts";

/** Writes docs/config.md, docs/config.schema.json and docs/bundle.schema.json from their tables. Run: npx tsx docs/make-config.ts */

interface Part {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: string | number | boolean;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Part[];
  readonly oneOf?: readonly Part[];
  readonly items?: Part;
  readonly runsCode?: string;
  readonly prefixItems?: readonly Part[];
}

/** Branches of a union, unions in unions included. */
const branchesOf = (part: Part): readonly Part[] | undefined => (part.anyOf ?? part.oneOf)?.flatMap((branch) => branchesOf(branch) ?? [branch]);

const typeOf = (part: Part): string => {
  if (part.const !== undefined) return `\`${String(part.const)}\``;
  if (part.enum) return part.enum.map((value) => `\`${String(value)}\``).join(", ");
  const branches = branchesOf(part);
  if (branches) return branches.map((branch) => (branch.properties ? `{${Object.keys(branch.properties).join(", ")}}` : typeOf(branch))).join(" or ");
  if (part.prefixItems) return `[${part.prefixItems.map(typeOf).join(", ")}]`;
  if (part.type === "array") return `list of ${part.items ? typeOf(part.items) : "values"}`;
  const low = part.exclusiveMinimum !== undefined ? `> ${part.exclusiveMinimum}` : part.minimum !== undefined ? `>= ${part.minimum}` : "";
  const high = part.maximum !== undefined && part.maximum < 1e9 ? `<= ${part.maximum}` : "";
  return [part.type ?? "value", [low, high].filter((text) => text !== "").join(", ")].filter((text) => text !== "").join(" ");
};

const meaning = ({ description = "", runsCode }: Part): string => (runsCode === undefined ? description : `${description} **Runs code**: ${runsCode}; \`--no-code\` refuses it.`);

const isSection = (part: Part): boolean => part.properties !== undefined || (branchesOf(part)?.some((branch) => branch.properties) ?? false);

const rows = (part: Part, prefix: string): string[] => Object.entries(part.properties ?? {}).flatMap(([key, value]) => {
  const name = prefix === "" ? key : `${prefix}.${key}`;
  const fallback = part.required?.includes(key) ? "required" : value.default === undefined || isSection(value) ? "" : `\`${JSON.stringify(value.default)}\``;
  const own = `| \`${name}\` | ${typeOf(value).replaceAll("|", "\\|")} | ${fallback} | ${meaning(value).replaceAll("|", "\\|")} |`;
  return [own, ...[value, ...(value.items ? [value.items] : [])].flatMap((part) => [part, ...(branchesOf(part) ?? [])]).flatMap((part) => rows(part, name))];
});

const schema = configJsonSchema();
const sections = rows(schema as Part, "").filter((row, index, all) => all.indexOf(row) === index);
const text = `# The config

YAML; paths are relative to the file. \`edgestill init\` writes a commented start, \`edgestill init --schema\` prints the JSON Schema. Unknown keys, impossible
values and missing files are all reported at once, with line numbers, before any work starts. Keys that
run code are marked **Runs code**: \`--no-code\` refuses a config that sets one ([SECURITY.md](../SECURITY.md)). This page is made by \`npx tsx docs/make-config.ts\`.

| key | value | default | meaning |
|---|---|---|---|
${sections.join("\n")}
`;
await writeFile(join(import.meta.dirname, "config.md"), text);
await writeFile(join(import.meta.dirname, "config.schema.json"), `${JSON.stringify(schema, null, 2)}\n`);
await writeFile(join(import.meta.dirname, "bundle.schema.json"), `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
