import type { Kind, Outcome } from "./case.ts";

/** A line of the page's table. */
export const lineOf = (input: string, { text }: Outcome): string =>
  `| ${input.replaceAll("|", "\\|")} | ${text.replaceAll("|", "\\|")} |`;

/** docs/compatibility.md. */
export const pageOf = (kinds: readonly Kind[], outcome: (title: string, input: string) => Outcome): string => {
  const all = kinds.flatMap(({ title, cases }) => cases.map(({ input }) => outcome(title, input)));
  const wrong = all.filter(({ isWrong }) => isWrong).length;
  const right = all.filter(({ isWrong, text }) => !isWrong && text.startsWith("right")).length;
  const sections = kinds.map(({ title, cases }) =>
    [`## ${title}`, "", "| input | gives now |", "|---|---|", ...cases.map(({ input }) => lineOf(input, outcome(title, input))), ""].join("\n"));
  return `# What works with what

Inputs as other people's tools make them, and what Edgestill gives for each: the right value, or a refusal
by its code, with a reason and the next step. \`npx tsx docs/make-compatibility.ts\` makes this page: it
builds every input of \`test/compatibility/\`, runs the product on it, compares, and exits 1 where one is wrong.

${all.length} inputs: ${right} right, ${all.length - right - wrong} refused with a reason, ${wrong} wrong.

${sections.join("\n")}`;
};
