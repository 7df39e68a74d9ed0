/** Characters that begin or end a form of Markdown (CommonMark and GitHub's) anywhere in a line. */
const anywhere = /[\\`*_{}[\]<>&|~!$@#:^]/g;
/** Those that do so at the start of a line only. */
const atStart = /^(?:[-+=]|\d+(?=[.)](?:\s|$)))/;

/** Text as Markdown shows it, in a paragraph, a list or a table's cell; line breaks are shown as blanks. */
export const markdownText = (text: string): string =>
  text.replace(/[\r\n]+/g, " ")
    .replace(anywhere, "\\$&")
    .replace(/www\./gi, (found) => `${found.slice(0, -1)}\\.`)
    .replace(atStart, (found) => (/\d/.test(found) ? `${found}\\` : `\\${found}`))
    .replace(/^[ \t]+|[ \t]+$/g, (blanks) => blanks.replace(/./g, (blank) => `&#${blank.charCodeAt(0)};`))
    .replaceAll("\t", "&#9;");

/** A code span where the text needs no escape in one, else plain text: a code span knows no escapes. */
export const markdownCode = (text: string): string => (/^[\w./:…][\w./:… -]*$/.test(text) && !text.endsWith(" ") ? `\`${text}\`` : markdownText(text));

/** A table (GitHub's): cells are escaped. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly (string | number | Code)[])[]): string =>
  [head.map(cell), head.map(() => "---"), ...rows.map((row) => row.map(cell))].map((row) => `| ${row.join(" | ")} |`).join("\n");

/** A cell that is shown as code. */
export interface Code {
  readonly code: string;
}

const cell = (value: string | number | Code): string => (typeof value === "object" ? markdownCode(value.code) : markdownText(String(value)));
