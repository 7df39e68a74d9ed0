import { columnsOf, wrapText } from "./terminal-text.ts";
import { largest } from "../input/largest.ts";

export interface TextColumn {
  readonly head: string;
  /** Text is aligned left, figures right. */
  readonly align?: "left" | "right";
}

const gap = "  ";

/**
 * Rows under their headings where that fits the terminal, with headings of two lines where that helps; else one block a row, each figure after its heading. Nothing is
 * ever cut. `columns` undefined: as wide as it gets. A column without any text is left out.
 */
export const textTable = (all: readonly TextColumn[], rows: readonly (readonly string[])[], columns?: number): string => {
  const used = all.map((_, at) => at).filter((at) => at === 0 || rows.some((row) => row[at] !== ""));
  const heads = used.map((at) => all[at]!);
  const cells = rows.map((row) => used.map((at) => row[at] ?? ""));
  for (const lines of [heads.map(({ head }) => [head]), heads.map(({ head }) => inTwo(head))]) {
    const grid = aligned(heads, lines, cells);
    if (columns === undefined || grid.every((line) => columnsOf(line) <= columns)) return grid.join("\n");
  }
  return cells.map((row) => block(heads, row, columns)).join("\n");
};

/** "local p50 ms" -> ["local", "p50 ms"]: broken where the wider half is narrowest. */
const inTwo = (head: string): string[] => {
  const words = head.split(" ");
  const ways = words.slice(1).map((_, at) => [words.slice(0, at + 1).join(" "), words.slice(at + 1).join(" ")]);
  const widest = (way: readonly string[]): number => largest(way.map(columnsOf));
  return ways.reduce((best, way) => (widest(way) < widest(best) ? way : best), [head]);
};

const aligned = (heads: readonly TextColumn[], headLines: readonly (readonly string[])[], rows: readonly (readonly string[])[]): string[] => {
  const height = largest(headLines.map((lines) => lines.length));
  const top = Array.from({ length: height }, (_, line) => headLines.map((lines) => lines[line - (height - lines.length)] ?? ""));
  const widths = heads.map((_, at) => largest([...top, ...rows].map((row) => columnsOf(row[at]!))));
  const line = (row: readonly string[]): string => row.map((text, at) => {
    const space = " ".repeat(widths[at]! - columnsOf(text));
    return heads[at]!.align === "right" ? space + text : text + space;
  }).join(gap).trimEnd();
  return [...top.map(line), widths.map((width) => "─".repeat(width)).join(gap), ...rows.map(line)];
};

/** The first cell, and under it "heading figure" pairs, as many in a line as fit; no pair is broken that fits a line. */
const block = ([, ...heads]: readonly TextColumn[], [name = "", ...cells]: readonly string[], columns: number | undefined): string => {
  const lines: string[] = [];
  for (const [at, { head }] of heads.entries()) {
    const pair = `${head} ${cells[at]!}${at < heads.length - 1 ? "," : ""}`;
    const joined = `${lines.at(-1)} ${pair}`;
    if (lines.length > 0 && (columns === undefined || columnsOf(joined) <= columns)) lines[lines.length - 1] = joined;
    else lines.push(`  ${pair}`);
  }
  return wrapText([name, ...lines].join("\n"), columns);
};
