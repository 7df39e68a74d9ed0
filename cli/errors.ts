import { UserError } from "../graph/error.ts";
import { colorsFor } from "./colors.ts";
import { wrapHelp } from "./help.ts";
import { Interrupted } from "./interrupt.ts";
import { printable } from "./terminal-text.ts";

/** 0 done, 1 the work failed, 2 wrong use, 130 stopped by Ctrl-C. */
export type ExitCode = 0 | 1 | 2 | 130;

/** What was asked for cannot be done, whatever the files hold: exit code 2. */
export class UsageError extends UserError {
  constructor(message: string, nextStep: string) {
    super("USAGE", message, nextStep);
    this.name = "UsageError";
  }
}

const wrongUse: ReadonlySet<string> = new Set(["CONFIG_INVALID", "CONFIG_RUNS_CODE", "CONFIG_READ", "UNKNOWN_STAGE"]);

/** Prints an error as people need it and returns the exit code. `command` is how to go on after an interruption. */
export const explain = (error: unknown, options: { readonly verbose: boolean; readonly command: string }): ExitCode => {
  const colors = colorsFor(process.stderr);
  const out = (text: string, label = ""): void => { process.stderr.write(`${wrapHelp(label + printable(text), process.stderr.columns)}\n`); };
  if (isInterruption(error)) {
    out(`stopped; what is finished is kept. To go on:\n  ${options.command}`);
    return 130;
  }
  if (error instanceof UserError) {
    out(` [${error.code}]: ${error.message}`, colors.red("error"));
    out(`: ${error.nextStep}`, colors.cyan("next step"));
    if (options.verbose) out(stackOf(error));
    return error instanceof UsageError || wrongUse.has(error.code) ? 2 : 1;
  }
  out(`: ${error instanceof Error ? error.message : String(error)}`, colors.red("error"));
  out(": this is a bug in Edgestill; please report it with the output of the same command with --verbose.", colors.cyan("next step"));
  if (options.verbose) out(stackOf(error));
  return 1;
};

const isInterruption = (error: unknown): boolean => {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Interrupted || at.name === "AbortError") return true;
  return false;
};

const stackOf = (error: unknown): string => {
  const stacks: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) stacks.push(at.stack ?? at.message);
  return stacks.join("\ncaused by ");
};
