import type { Command } from "commander";
import { shellWord } from "../escape/shell.ts";
import { terminalJson } from "../escape/terminal.ts";
import type { Reporter } from "../pipeline/progress.ts";
import { terminalReporter } from "./progress.ts";
import { explain, type ExitCode } from "./errors.ts";
import { interruptSignal } from "./interrupt.ts";
import { Coloured, printable, wrapText } from "./terminal-text.ts";

/** What every command gets: where to print, and when to stop. */
export interface CommandContext {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** True with --json: stdout carries JSON alone. */
  readonly json: boolean;
  /** Prints a result to stdout: `value` with --json, else `text`, which is given the terminal's columns (undefined in a pipe). */
  readonly result: (value: unknown, text: (columns: number | undefined) => string | Coloured) => void;
}

type Work<Arguments extends readonly unknown[], Options> = (context: CommandContext, args: Arguments, options: Options) => Promise<ExitCode | undefined>;

/** Wraps a command's work as a commander action: progress, interruption, errors and the exit code. */
export const action = <Arguments extends readonly unknown[], Options>(work: Work<Arguments, Options>) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<{ json?: boolean; verbose?: boolean }>();
    const reporter = terminalReporter();
    const json = options.json === true;
    const context: CommandContext = {
      reporter, json, signal: interruptSignal((text) => reporter.line(text)),
      result: (value, text) => {
        const { columns } = process.stdout;
        reporter.stop();
        process.stdout.write(`${json ? terminalJson(value) : wrapText(shownText(text(columns)), columns)}\n`);
      },
    };
    try {
      process.exitCode = (await work(context, given.slice(0, -2) as unknown as Arguments, options as Options)) ?? 0;
    } catch (error) {
      reporter.stop();
      process.exitCode = explain(error, { verbose: options.verbose === true, command: commandLine() });
    } finally {
      reporter.stop();
    }
  };

const shownText = (text: string | Coloured): string => (text instanceof Coloured ? text.text : printable(text));

/** The command to go on with: --fresh would do again what is kept. */
const commandLine = (): string => `edgestill ${process.argv.slice(2).filter((word) => word !== "--fresh").map(shellWord).join(" ")}`;
