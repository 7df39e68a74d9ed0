import { escapeEntities } from "./entities.ts";

/** What no XML 1.0 document can hold, not even as a reference. */
const impossible = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text for XML and SVG content and quoted attributes; what XML cannot hold is "�". */
export const escapeXml = (text: string): string =>
  escapeEntities(text.replace(impossible, "\ufffd")).replace(
    /[\t\n\r\x7f-\x9f\u2028]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
