import { UserError } from "../../graph/error.ts";

/** A tool of the device printed what no known version of it prints. */
export const unreadableOutput = (tool: string, text: string, problem: string, cause?: unknown): UserError =>
  new UserError("DEVICE_OUTPUT", `Cannot read what ${tool} printed: ${problem}${text.trim() === "" ? "" : `, in "${excerpt(text)}"`}.`,
    `run ${tool} on the device by hand; where it prints the same there, its version is newer than this one of Edgestill: send the line with an issue.`, { cause });

const excerpt = (text: string): string => {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
};

/** A number with a point. Throws UserError DEVICE_OUTPUT, which names a comma as the locale's. */
export const decimal = (tool: string, text: string): number => {
  if (/^-?\d+,\d+$/.test(text)) throw unreadableOutput(tool, text, "a number with a decimal comma, so the device's language is not C (LC_ALL=C was ignored)");
  if (!/^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text)) throw unreadableOutput(tool, text, "a number was expected");
  return Number(text);
};
