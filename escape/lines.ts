/**
 * Names a line, as label files have them: the form knows no escapes, so a name that a reader would not take whole has to be
 * refused by who writes for that reader (`unwritable`).
 */
export const labelLines = (names: readonly string[]): string => {
  if (names.some((name) => /[\n\r]/.test(name))) throw new Error("bug: a name with a line break reached a label file");
  return names.join("\n");
};

/** The first name that a reader would cut or change: it splits at one of `separators`, or takes blanks off the ends. */
export const unwritable = (names: readonly string[], separators: RegExp): string | undefined =>
  names.find((name) => separators.test(name) || name !== name.trim());
