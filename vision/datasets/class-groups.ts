import { largest } from "../../input/largest.ts";
import type { ClassName } from "../types.ts";
import { canonicalClass, mapClasses } from "./classes.ts";
import type { DatasetOptions, RawDataset } from "./dataset.ts";

/** What `classIndex` will index, and how the data set's own classes get there. */
export interface ChosenClasses {
  readonly classes: readonly ClassName[];
  readonly categoryIds: readonly number[];
  /** For each of the data set's own classes its index among `classes`, or -1. */
  readonly indexOf: readonly number[];
  readonly notes: readonly string[];
}

/** Spellings of one class become one; the wanted classes are found by name. Throws UserError UNKNOWN_CLASS, DUPLICATE_CLASS. */
export function chooseClasses({ classes: own, categoryIds, items }: RawDataset, options: DatasetOptions): ChosenClasses {
  const boxes = own.map(() => 0);
  for (const item of items) for (const { category } of item.boxes ?? []) boxes[category] = (boxes[category] ?? 0) + 1;
  const groups = groupSpellings(own);
  const isLabelled = items.some((item) => item.boxes !== null);
  const wanted = options.classes ?? groups.map(({ name }) => name);
  const mapped = isLabelled || options.classes === undefined ? mapClasses(groups.map(({ name }) => name), wanted, options.lacking) : groups.map(() => -1);
  const indexOf = own.map((_, index) => mapped[groups.findIndex(({ members }) => members.includes(index))] ?? -1);
  const ids = categoryIds ?? own.map((_, index) => index + 1);
  const notes = [...groups.flatMap((group) => spellingNote(group.members, own, ids, boxes)), ...lackingNotes(wanted, indexOf, boxes, isLabelled)];
  return { classes: wanted, categoryIds: idsOf(wanted, indexOf, ids, boxes), indexOf, notes };
}

/** Classes that mean the same, named as the first of them. */
function groupSpellings(own: readonly ClassName[]): { name: ClassName; members: number[] }[] {
  const groups = new Map<string, { name: ClassName; members: number[] }>();
  for (const [index, name] of own.entries()) {
    const group = groups.get(canonicalClass(name));
    if (group) group.members.push(index);
    else groups.set(canonicalClass(name), { name, members: [index] });
  }
  return [...groups.values()];
}

function spellingNote(members: readonly number[], own: readonly ClassName[], ids: readonly number[], boxes: readonly number[]): string[] {
  if (members.length < 2) return [];
  const list = members.map((member) => `"${own[member]}" (${ids[member]}: ${boxes[member]} boxes)`).join(" and ");
  return [`the classes ${list} are the same and count as one; pycocotools counts categories of one name apart`];
}

function lackingNotes(wanted: readonly ClassName[], indexOf: readonly number[], boxes: readonly number[], isLabelled: boolean): string[] {
  if (!isLabelled) return [];
  const found = wanted.map((_, index) => indexOf.reduce((sum, to, own) => sum + (to === index ? boxes[own]! : 0), 0));
  const without = wanted.filter((_, index) => found[index] === 0);
  return without.length === 0 || without.length === wanted.length ? [] : [`no boxes of ${without.map((name) => `"${name}"`).join(", ")}: without an AP (null), not in the mean`];
}

/** The data set's id of each class, of several the one with most boxes; a class that it lacks gets a number that is free. */
function idsOf(wanted: readonly ClassName[], indexOf: readonly number[], ids: readonly number[], boxes: readonly number[]): number[] {
  let free = Math.max(0, largest(ids)) + 1;
  return wanted.map((_, index) => {
    const own = indexOf.flatMap((to, at) => (to === index ? [at] : []));
    const best = own.reduce<number | undefined>((most, at) => (most === undefined || boxes[at]! > boxes[most]! ? at : most), undefined);
    return best === undefined ? free++ : ids[best]!;
  });
}
