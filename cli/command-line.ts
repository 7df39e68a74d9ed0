import { CommanderError } from "commander";
import { createProgram } from "./program.ts";

/** Runs the command that this process was started with. Sets the exit code. */
export const runCommandLine = async (): Promise<void> => {
  // A reader that went away (`| head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => { if (error.code === "EPIPE") process.exit(0); });
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed what was wrong
  }
};
