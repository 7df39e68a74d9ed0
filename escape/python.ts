/** A Python string literal in single quotes, as `repr` writes it and `ast.literal_eval` reads it. */
export const pythonString = (text: string): string =>
  `'${text.replace(/[\\']/g, "\\$&").replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]/gu, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
