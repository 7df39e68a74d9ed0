import { parseHTML } from "linkedom";

/** The part of the DOM that the report's tests look at. */
export interface PageElement {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement> & { readonly length: number };
  remove(): void;
}

export function parsePage(html: string): PageElement {
  return (parseHTML(html) as { readonly document: PageElement }).document;
}
