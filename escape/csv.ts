/** A field of CSV (RFC 4180): quoted where it has to be, and where a program might trim it. */
const csvField = (text: string): string =>
  /[",\r\n]|^\s|\s$|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** A line of CSV, without its end. */
export const csvLine = (fields: readonly (string | number)[]): string =>
  fields.map((field) => csvField(String(field))).join(",");

/** A table of CSV, each line ended by a line feed. */
export const csvText = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${csvLine(row)}\n`).join("");
