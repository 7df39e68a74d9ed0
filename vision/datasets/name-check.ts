import { listProblem, quotedName, type NameProblem } from "../../escape/names.ts";
import { UserError } from "../../graph/error.ts";
import type { ClassName } from "../types.ts";

/**
 * Refuses class names that nobody could write or read (`escape/names.ts`): `place` says where the names stand, `lineOf` in which of its lines, counted
 * from 1. Throws UserError BAD_CLASS_NAMES.
 */
export function checkClassNames(place: string, names: readonly ClassName[], lineOf: (found: NameProblem) => number | undefined = () => undefined): void {
  const found = listProblem(names);
  if (!found) return;
  const line = lineOf(found);
  throw new UserError("BAD_CLASS_NAMES", `${place}${line === undefined ? "" : ` line ${line}`}: the class name ${quotedName(found.name)} is refused: ${found.problem}.`,
    "write class names as one line of visible characters, in UTF-8, each at most 256 characters long.");
}

/** The line of the first JSON string of this value. */
export function lineOfJsonString(text: string, value: string): number | undefined {
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"/gs)) if (valueOf(match[0]) === value) return text.slice(0, match.index).split("\n").length;
  return undefined;
}

const valueOf = (token: string): unknown => {
  try {
    return JSON.parse(token);
  } catch {
    return undefined;
  }
};
