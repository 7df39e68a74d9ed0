import { isNode, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from "yaml";
import { nameProblem, plainProblem, quotedName, textProblem } from "../escape/names.ts";

/** A YAML text with the lines of its parts. */
export interface YamlText {
  readonly document: Document;
  /** 1-based line of the key at the end of `path` (or of `key` of the object there); of a missing one, of its nearest parent. */
  readonly lineOf: (path: readonly PropertyKey[], key?: string) => number;
  readonly lineAt: (offset: number) => number;
}

export const readYaml = (text: string): YamlText => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  return {
    document, lineAt,
    lineOf: (path, key) => {
      const offset = (key === undefined ? undefined : keyOffset(document, [...path, key])) ?? keyOffset(document, path);
      return offset === undefined ? 1 : lineAt(offset);
    },
  };
};

/** Where the key at the end of `path` stands; of a missing one, where its nearest parent does. */
const keyOffset = (document: Document, path: readonly PropertyKey[]): number | undefined => {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (typeof parent !== "object" || parent === null || !("items" in parent)) continue;
    for (const [index, item] of (parent.items as unknown[]).entries()) {
      if (typeof item === "object" && item !== null && "key" in item && isNode(item.key) && String(item.key) === String(last)) return item.key.range?.[0];
      if (index === last && isNode(item)) return item.range?.[0];
    }
  }
  return undefined;
};

/** Keys whose values are free text, and those whose values (or keys) are names of classes; all other text is names and paths. */
const free = new Set(["limits"]);
const classes = new Set(["classes", "labelNames", "autowareLabels"]);

/** Text that no name may hold (`escape/names.ts`), with its line. */
export const refusedText = ({ document, lineAt }: YamlText): { readonly line: number; readonly message: string }[] => {
  const found: { line: number; message: string }[] = [];
  visit(document, {
    Scalar: (role, node, path) => {
      if (!isScalar(node) || typeof node.value !== "string") return;
      const keys = path.flatMap((step) => (isPair(step) && isScalar(step.key) ? [String(step.key.value)] : []));
      const own = role === "key" ? keys.at(-2) : keys.at(-1);
      const judge = own === undefined ? plainProblem : free.has(own) ? textProblem : classes.has(own) ? nameProblem : plainProblem;
      const problem = judge(node.value);
      if (problem !== undefined) found.push({ line: lineAt(node.range?.[0] ?? 0), message: `${quotedName(node.value)} is refused: ${problem}` });
    },
  });
  return found;
};
