import { InvalidArgumentError } from "commander";

/** Parsers of option values; a wrong one is wrong use (exit code 2). */
export const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("give a whole number of at least 1.");
  return value;
};

export const nonNegative = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || text.trim() === "") throw new InvalidArgumentError("give a whole number of at least 0.");
  return value;
};

export const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("give a number above 0.");
  return value;
};

export const share = (text: string): number => {
  const value = Number(text);
  if (!(value >= 0 && value <= 1) || text.trim() === "") throw new InvalidArgumentError("give a number between 0 and 1.");
  return value;
};

/** "a,b" -> ["a", "b"]. */
export const list = (text: string): string[] => text.split(",").map((part) => part.trim()).filter((part) => part !== "");

/** "640x384" -> [640, 384]. */
export const size = (text: string): [number, number] => {
  const match = /^(\d+)[x×,](\d+)$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError("give width x height, e.g. 640x384.");
  return [Number(match[1]), Number(match[2])];
};

/** "10.3" or "8.6.1" -> {major: 10, minor: 3}. */
export const tensorrtVersion = (text: string): { readonly major: number; readonly minor: number } => {
  const match = /^(\d+)(?:\.(\d+))?(?:\.\d+)*$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError("give a version, e.g. 8.6 or 10.3.");
  return { major: Number(match[1]), minor: Number(match[2] ?? 0) };
};
