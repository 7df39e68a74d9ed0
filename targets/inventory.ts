import { existsSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../graph/error.ts";
import { inputLimits } from "../input/limits.ts";
import { readTextFile } from "../input/read.ts";
import { checkSchema } from "../input/schema.ts";
import { codeKeys, refuseCode, type Trust } from "./code-keys.ts";
import { nameField, threadsField } from "./fields.ts";
import type { TargetSettings } from "./kind.ts";
import { targetKinds } from "./kinds.ts";
import { readYamlText, refusedText } from "./yaml-text.ts";

const localSchema = z.strictObject({ name: nameField, kind: z.literal("local").describe("This machine."), threads: threadsField });

/** A device behind ssh: the fields of every kind; each kind's schema adds its own. */
export type DeviceEntry = TargetSettings & { readonly host: string };
export type TargetEntry = "local" | z.infer<typeof localSchema> | DeviceEntry;

const kindSchemas: Readonly<Record<string, z.ZodType>> = {
  local: localSchema, ...Object.fromEntries(Object.values(targetKinds).map(({ name, schema }) => [name, schema as unknown as z.ZodType])),
};
const wrongKind = `must be one of ${Object.keys(kindSchemas).join(", ")}`;

/** One entry of `targets` in a config or in targets.yaml. */
export const targetSchema: z.ZodType<TargetEntry> = z.union([
  z.literal("local"), z.discriminatedUnion("kind", Object.values(kindSchemas) as unknown as [typeof localSchema], wrongKind),
]);

export const isDevice = (entry: TargetEntry): entry is DeviceEntry => entry !== "local" && entry.kind !== "local";
export const nameOf = (entry: TargetEntry): string => (entry === "local" ? "local" : entry.name);

/** Found without being named: beside the command. */
export const usualInventory = "targets.yaml";

const fileSchema = z.union([z.array(targetSchema), z.object({ targets: z.array(targetSchema) }).transform(({ targets }) => targets)]);

/** Entries of targets.yaml, or of any file with `targets` in it, such as a config. Throws UserError INVENTORY; without `allowCode` also CONFIG_RUNS_CODE. */
export const readInventory = async (path: string, { allowCode = true }: Trust = {}): Promise<TargetEntry[]> => {
  const text = await readTextFile(path, inputLimits.configBytes).catch((cause: unknown) => { throw badInventory(path, cause instanceof Error ? cause.message : String(cause)); });
  const yaml = readYamlText(text);
  const { value: raw, problems: [broken] } = yaml;
  if (broken) throw badInventory(path, `line ${broken.line}: ${broken.message}`);
  const list: unknown = Array.isArray(raw) ? raw : (raw as { readonly targets?: unknown } | null)?.targets;
  if (!Array.isArray(list)) throw badInventory(path, "there is no list of targets in it");
  const problems = list.flatMap((entry: unknown, index) => problemsOf(entry, index));
  problems.push(...refusedText(yaml).map(({ line, message }) => `line ${line}: ${message}`));
  if (problems.length > 0) throw badInventory(path, problems.join("; "));
  if (!allowCode) refuseCode(path, codeKeys(raw, Array.isArray(raw) ? listSchema() : { properties: { targets: listSchema() } }), yaml.lineOf);
  const entries = fileSchema.parse(list);
  const names = entries.map(nameOf);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw badInventory(path, `"${twice}" is listed twice`);
  return entries;
};

const listSchema = (): z.core.JSONSchema.BaseSchema => z.toJSONSchema(z.array(targetSchema), { io: "input" });

/** Problems in the words of the kind that the entry names. */
const problemsOf = (entry: unknown, index: number): string[] => {
  const kind = typeof entry === "object" && entry !== null && "kind" in entry ? String(entry.kind) : undefined;
  if (entry === "local") return [];
  const schema = kind !== undefined && Object.hasOwn(kindSchemas, kind) ? kindSchemas[kind] : undefined;
  if (!schema) return [`targets.${index}: kind ${wrongKind}`];
  const { problems = [] } = checkSchema(z.object({ targets: z.object({ [index]: schema }) }), { targets: { [index]: entry } });
  return problems.map(({ message }) => message);
};

/** The wanted entries by name ("local" is always there; a name of no entry that looks like user@host is a plain Linux device). Throws UserError UNKNOWN_TARGET. */
export const chooseTargets = (inventory: readonly TargetEntry[], names: readonly string[]): TargetEntry[] =>
  names.map((name) => {
    const entry = inventory.find((candidate) => nameOf(candidate) === name);
    if (entry !== undefined) return entry;
    if (name === "local") return "local";
    if (/^[^@\s-][^@\s]*@[^@\s]+$/.test(name)) return { name: name.replaceAll(/[^A-Za-z0-9_-]/g, "-"), kind: "linux", host: name };
    throw unknownTarget(name, inventory.map(nameOf));
  });

/** `path`, or targets.yaml here where there is one, or none. */
export const findInventory = async (path: string | undefined, trust: Trust = {}): Promise<TargetEntry[]> =>
  path !== undefined ? readInventory(path, trust) : existsSync(usualInventory) ? readInventory(usualInventory, trust) : [];

const badInventory = (path: string, problem: string): UserError =>
  new UserError("INVENTORY", `${path}: ${problem}.`, "an entry is {name: pi5, kind: rpi, host: pi@pi5.local}; docs/devices.md explains every key.");

const unknownTarget = (name: string, known: readonly string[]): UserError =>
  new UserError("UNKNOWN_TARGET", `There is no target "${name}"; known: ${["local", ...known.filter((other) => other !== "local")].join(", ")}.`, "add it to targets.yaml, or give user@host.");
