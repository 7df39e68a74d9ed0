const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A quoted argument of CMake: no variable, list or escape of it is evaluated. */
export const cmakeArgument = (text: string): string =>
  `"${text.replace(/[\\"$@]/g, "\\$&").replace(/[\n\r\t]/g, (character) => escapes[character]!)}"`;
