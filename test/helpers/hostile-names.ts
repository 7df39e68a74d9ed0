import { nameProblem } from "../../escape/names.ts";
import { diceFor } from "../../vision/random.ts";

/** Pieces that end, open or change something in one of the formats that names are written into. */
const pieces = [
  '"', "'", "`", "\\", "\\\\", '\\"', "??/", "??=", "<:", "%>", "%:", "${}", "${HOME}", "$(id)", "`id`", "$1", "@VAR@", "$ENV{HOME}", ";", ";;", "#", "#[[", "[[", "]]", "]=]", "]]>", "<![CDATA[", "<!--",
  "-->", "--", "</script>", "<script>alert(1)</script>", "</title>", "<b>", "&amp;", "&#10;", "&lt", "&", "<", ">", "=", "=1+1", "+1", "-1", "@SUM(A1)", "-rf", "--help", " ", "  ", ": ", "- ", "? ", "| ", "> ",
  "%", "%s", "%(x)s", "%20", "|", "||", "*", "**", "_", "__", "~~", "![x](y)", "[x](y)", "[^1]", "1. ", "1) ", "# ", "www.example.com", "http://example.com", "a@b.com", ":smile:", "!", "!!str", "!important", "&anchor", "*alias",
  "{", "}", "[", "]", ",", "yes", "no", "null", "~", "1e3", "0x1f", "1_000", "08", ".inf", "2026-01-01", "true", "<<", "---", "...", "R\"(", ")\"", "\");int x(\"", "\\x41", "\\u0041", "\\101", "\\n", "\\s", "\\0",
  "é", "e\u0301", "ß", "🚗", "👩‍🔧", "❤️", "歩行者", "דרך", "طريق", "ﬁ", "\u00a0", "\u2009", "İ", "ı", "𝕏", "Z̸̡", "/", "../", "C:\\", "a=b", "^", "$", "(", ")", "car", "traffic light", "x", "7",
];

const fixed = [
  ...pieces.filter((piece) => nameProblem(piece) === undefined), ...pieces.flatMap((piece) => [` ${piece}x`, `x${piece} `, `x${piece}y`]),
  '"};\nint evil();//'.replace("\n", " "), "n".repeat(256), "\\".repeat(255), '"'.repeat(256), "`".repeat(200), "]".repeat(100), "=".repeat(64), "'".repeat(255), "%".repeat(256), "€".repeat(256),
];

/** Names that the policy allows and that are as bad as that goes: the same for the same seed, no two alike. */
export const hostileNames = (count: number, seed = 1): string[] => {
  const dice = diceFor(seed, count);
  const names = new Set(fixed.filter((name) => nameProblem(name) === undefined).map((name) => name.normalize("NFC")));
  while (names.size < count) {
    const name = Array.from({ length: 1 + dice.index(6) }, () => pieces[dice.index(pieces.length)]!).join("").normalize("NFC");
    if (nameProblem(name) === undefined) names.add(name);
  }
  return [...names];
};
