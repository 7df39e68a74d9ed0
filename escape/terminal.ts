import { shown } from "./names.ts";

/** Text of lines for a terminal: line breaks stay, tabs are blanks, whatever else would move, colour, turn or hide is "�". */
export const terminalText = (text: string): string => text.split("\n").map((line) => shown(line.replace(/\r$/, "").replaceAll("\t", "  "))).join("\n");

/** JSON for a terminal or a pipe: the same value, with nothing in it that a terminal would obey. */
export const terminalJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
