import stringWidth from "string-width";
import { terminalText } from "../escape/terminal.ts";

/** Columns that text takes in a terminal: wide characters take two, colours none. */
export const columnsOf = (text: string): number => stringWidth(text);

/** The one way of text to a terminal: whatever would move the cursor, colour, turn or hide what follows (names come from files) is shown as "�". */
export const printable = terminalText;

/** Text with colours of our own: each part of it went through `printable` before the colours came. */
export class Coloured {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Below this a terminal has no room to wrap at words. */
const fewestColumns = 20;

/**
 * Lines no wider than the terminal, broken between words, the rest of a line indented by two more. A word that is wider stays whole (the terminal goes on in its
 * next row), so that paths can be copied and no figure is ever cut or broken in two while it fits. `columns` undefined: not a terminal, nothing changes.
 */
export const wrapText = (text: string, columns: number | undefined): string =>
  columns === undefined || columns < fewestColumns ? text : text.split("\n").map((line) => (columnsOf(line) <= columns ? line : wrapLine(line, columns))).join("\n");

const wrapLine = (line: string, columns: number): string => {
  const [indent = ""] = /^ */.exec(line)!;
  const further = " ".repeat(Math.min(indent.length + 2, fewestColumns / 2));
  const rows: string[] = [];
  let row = "";
  for (const [, gap = "", word = ""] of line.slice(indent.length).matchAll(/( *)([^ ]+)/g)) {
    if (row === "") row = rows.length === 0 ? indent + word : further + word;
    else if (columnsOf(row + gap + word) <= columns) row += gap + word;
    else {
      rows.push(row);
      row = further + word;
    }
  }
  return [...rows, row].join("\n");
};

/** At most so many columns, cut between words with "…": a word that does not fit is left out, never shown in part. */
export const shortenText = (text: string, columns: number): string => {
  if (columnsOf(text) <= columns) return text;
  let kept = "";
  for (const word of text.split(" ")) {
    if (columnsOf(`${kept}${word} …`) > columns) break;
    kept += `${word} `;
  }
  return columns < 1 ? "" : `${kept}…`;
};
