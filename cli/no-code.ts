import type { Command } from "commander";

/** What `--no-code` of the command line says; commander's name of it. */
export interface TrustOptions {
  readonly code: boolean;
}

/** For every command that reads a config or an inventory. */
export const addNoCode = (command: Command): Command =>
  command.option("--no-code", "refuse a config or inventory that runs code or names some (docs/config.md says which keys do)");
