import { escapeEntities } from "./entities.ts";

/** Text for HTML content and quoted attributes. */
export const escapeHtml = (text: string): string =>
  escapeEntities(text).replaceAll("\r", "&#13;");

/** JSON for a `<script type="application/json">` element: nothing in it can end the element. */
export const escapeJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
