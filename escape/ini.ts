const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A value of a key file as GLib reads it (DeepStream's configuration): blanks at the ends are kept. */
export const iniValue = (text: string): string =>
  text.replace(/[\\\n\r\t]/g, (character) => escapes[character]!).replace(/^ +| +$/g, (blanks) => "\\s".repeat(blanks.length));

/** A list of strings in a key file. */
export const iniList = (texts: readonly string[]): string => texts.map((text) => `${iniValue(text).replaceAll(";", "\\;")};`).join("");
