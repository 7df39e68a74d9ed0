/** Names that the whole pattern fits: `*` stands for any characters, `?` for one. */
export const wholeName = (pattern: string): RegExp => new RegExp(`^${expression(pattern)}$`, "s");

/** Names with a run of whole parts, between "/", ".", "_" and ":", that the pattern fits: "model.22" fits "/model.22/cv3/Conv". */
export const partOfName = (pattern: string): RegExp => new RegExp(`(^|[./_:])${expression(pattern)}($|[./_:])`, "s");

const expression = (pattern: string): string =>
  pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
