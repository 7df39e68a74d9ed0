import colors from "picocolors";

/** Colours for what goes to `stream`: on a terminal that shows them, unless NO_COLOR; in a pipe only with FORCE_COLOR. */
export const colorsFor = ({ isTTY }: { readonly isTTY?: boolean }, { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv = process.env): ReturnType<typeof colors.createColors> =>
  colors.createColors(!NO_COLOR && FORCE_COLOR !== "0" && (Boolean(FORCE_COLOR) || (isTTY === true && TERM !== "dumb")));
