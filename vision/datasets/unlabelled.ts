import type { RawItem, Report, UnlabelledPolicy } from "./dataset.ts";
import { named } from "./files.ts";

type Unlabelled = Omit<RawItem, "boxes">;

/** The picture as the policy wants it; undefined where it is left out. */
export function unlabelledPicture(item: Unlabelled, policy: UnlabelledPolicy, report: Report): RawItem | undefined {
  if (policy === "error") report({ file: item.path, message: "has no label file" });
  if (policy === "error" || policy === "skip") return undefined;
  return { ...item, boxes: policy === "background" ? [] : null };
}

const meanings: Readonly<Record<Exclude<UnlabelledPolicy, "error">, string>> = {
  background: "taken as pictures without objects (unlabelled: skip, teacher or error says otherwise)",
  teacher: "unlabelled, for the teacher alone",
  skip: "left out",
};

export const unlabelledNote = (pictures: readonly string[], policy: UnlabelledPolicy, root: string): string[] =>
  pictures.length === 0 || policy === "error" ? [] : [`${named(pictures, "picture", root)} without a label file: ${meanings[policy]}`];
