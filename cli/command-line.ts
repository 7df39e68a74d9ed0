import { CommanderError } from "commander";
import { UserError } from "../graph/error.ts";
import { reasonOf } from "../input/reason.ts";
import { explain } from "./errors.ts";
import { createProgram } from "./program.ts";

const notWritten = (cause: Error): UserError =>
  new UserError("OUTPUT", `Cannot write to the standard output: ${reasonOf(cause)}.`, "check where the output goes and the disk's space, then run the same command again.", { cause });

/** Runs the command that this process was started with. Sets the exit code. */
export const runCommandLine = async (): Promise<void> => {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // a reader that went away (`| head`) is no error
    process.exit(explain(notWritten(error), { verbose: false, command: "" }));
  });
  process.stderr.on("error", () => undefined); // nobody reads what is said: the work and its exit code are the same
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed what was wrong
  }
};
