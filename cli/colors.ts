import { styleText } from "node:util";

type Style = "bold" | "cyan" | "red";
export type Colors = Readonly<Record<Style, (text: string) => string>>;

/** Colours for what goes to `stream`: on a terminal that shows them, unless NO_COLOR; in a pipe only with FORCE_COLOR. */
export const colorsFor = ({ isTTY }: { readonly isTTY?: boolean }, { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv = process.env): Colors => {
  const isColored = !NO_COLOR && FORCE_COLOR !== "0" && (Boolean(FORCE_COLOR) || (isTTY === true && TERM !== "dumb"));
  const style = (name: Style) => (text: string): string => (isColored ? styleText(name, text, { validateStream: false }) : text);
  return { bold: style("bold"), cyan: style("cyan"), red: style("red") };
};
