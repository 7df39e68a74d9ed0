import { Command } from "commander";
import { version } from "../pipeline/version.ts";
import { addCompress } from "./commands/compress.ts";

/** The command line: every command with its options and examples. */
export const createProgram = (): Command => {
  const program = new Command("edgestill")
    .description("Turns a YOLO-class detector into the smallest, fastest model that an edge device can run.")
    .version(version)
    .option("--json", "print the result as JSON, alone on stdout")
    .option("--verbose", "print stack traces with errors")
    .showHelpAfterError("(edgestill <command> --help shows arguments, options and examples)")
    .exitOverride();
  addCompress(program);
  return program;
};
