import { UserError } from "../../graph/error.ts";
import type { ClassName } from "../types.ts";

/** Pascal VOC's and other spellings of COCO's class names. */
const aliases: Readonly<Record<string, string>> = {
  motorbike: "motorcycle",
  aeroplane: "airplane",
  tvmonitor: "tv",
  sofa: "couch",
  diningtable: "dining table",
  pottedplant: "potted plant",
  trafficlight: "traffic light",
  stopsign: "stop sign",
  firehydrant: "fire hydrant",
};

/** One spelling for all spellings of a class: lower case, `_` and `-` as spaces, aliases resolved. */
export function canonicalClass(name: ClassName): string {
  const plain = name.trim().toLowerCase().replace(/[_\-\s]+/g, " ");
  return Object.hasOwn(aliases, plain) ? aliases[plain]! : plain;
}

/**
 * For each of the dataset's classes, its index among the wanted ones, or -1. Several may map to one.
 * @throws UserError UNKNOWN_CLASS listing what the dataset has, where it lacks a wanted class (`lacking: "note"`: lacks all of them);
 *   DUPLICATE_CLASS when two wanted names mean the same.
 */
export function mapClasses(existing: readonly ClassName[], wanted: readonly ClassName[], lacking: "error" | "note" = "error"): number[] {
  const indexOf = new Map<string, number>();
  for (const [index, name] of wanted.entries()) {
    const known = indexOf.get(canonicalClass(name));
    if (known !== undefined) throw duplicateClass(wanted[known] ?? name, name);
    indexOf.set(canonicalClass(name), index);
  }
  const mapped = existing.map((name) => indexOf.get(canonicalClass(name)) ?? -1);
  const unknown = wanted.filter((_, index) => !mapped.includes(index));
  if (unknown.length > 0 && (lacking === "error" || unknown.length === wanted.length)) throw unknownClass(unknown, existing);
  return mapped;
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");

const unknownClass = (unknown: readonly ClassName[], existing: readonly ClassName[]) =>
  new UserError(
    "UNKNOWN_CLASS",
    `The dataset has no class ${quoted(unknown)}. It has: ${quoted(existing)}.`,
    "name the wanted classes (data.classes) as the dataset does.",
  );

const duplicateClass = (first: ClassName, second: ClassName) =>
  new UserError("DUPLICATE_CLASS", `The wanted classes "${first}" and "${second}" are the same class.`, "list each class once in data.classes.");
