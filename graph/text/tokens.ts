import { UserError } from "../error.ts";

export type TokenKind = "name" | "quoted" | "number" | "mark" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Quoted text without its quotes. */
  readonly text: string;
  readonly line: number;
}

export const cannotParse = (line: number, message: string): UserError =>
  new UserError("GRAPH_TEXT", `Cannot read the graph, line ${line}: ${message}.`, "see docs/graph.md for the syntax.");

const pattern = /(?<space>[ \t\r]+|\/\/[^\n]*)|(?<newline>\n)|(?<quoted>"(?:[^"\\]|\\.)*")|(?<number>-?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|inf\b|nan\b))|(?<name>[A-Za-z][\w./]*)|(?<mark>->|::|\.\.\.|[(){}[\]<>,:=_?])/gy;

/** Splits the text form of a graph. Throws UserError GRAPH_TEXT with the line. */
export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  pattern.lastIndex = 0;
  while (at < text.length) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) throw cannotParse(line, `unexpected "${text.slice(at, at + 10).split("\n")[0]}"`);
    at = pattern.lastIndex;
    if (groups.newline) line++;
    if (groups.quoted) tokens.push({ kind: "quoted", text: JSON.parse(groups.quoted) as string, line });
    for (const kind of ["number", "name", "mark"] as const) if (groups[kind]) tokens.push({ kind, text: groups[kind], line });
  }
  tokens.push({ kind: "end", text: "the end", line });
  return tokens;
};
