import type { Command, HelpConfiguration, OutputConfiguration } from "commander";
import { columnsOf, printable, wrapText } from "./terminal-text.ts";

/** Descriptions wrap beside their names down to this width. */
export const helpConfiguration: HelpConfiguration = {
  minWidthToWrap: 16,
  subcommandTerm: (command: Command) => [command.name(), ...command.registeredArguments.map((argument) => {
    const text = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${text}>` : `[${text}]`;
  })].join(" "),
};

/** Help and wrong use as wide as the terminal. */
export const helpOutput: OutputConfiguration = {
  writeOut: (text) => { process.stdout.write(wrapHelp(text, process.stdout.columns)); },
  writeErr: (text) => { process.stderr.write(wrapHelp(printable(text), process.stderr.columns)); },
};

/** Wraps between words; an example is broken as a shell reads it, its comment goes to a row of its own. */
export const wrapHelp = (text: string, columns: number | undefined): string =>
  columns === undefined ? text : text.split("\n").map((line) => (columnsOf(line) > columns && isExample.test(line) ? wrapExample(line, columns) : wrapText(line, columns))).join("\n");

const isExample = /^ {2}(edgestill|openssl) /;

const wrapExample = (line: string, columns: number): string => {
  const [command = "", comment] = line.split(/ +# /);
  const rows = columnsOf(command) <= columns ? command : wrapText(command, columns - 2).replaceAll("\n", " \\\n");
  return comment === undefined ? rows : `${wrapText(`  # ${comment}`, columns)}\n${rows}`;
};
