import { escapeHtml } from "../escape/html.ts";

/** HTML that is safe to write out as it is. Only `html` and `raw` make it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What `html` takes between its strings: text and numbers are escaped, nothing is written for null, undefined and false. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

/** Marks text as HTML; for text that this folder made itself. */
export const raw = (text: string): Html => new Html(text);

/** Tagged template: escapes every value that is not Html already. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(strings.map((string, at) => string + (at < parts.length ? write(parts[at]) : "")).join(""));

function write(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(write).join("");
  return escapeHtml(String(part));
}
