import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { outcomeOf } from "./compatibility/case.ts";
import { kinds } from "./compatibility/kinds.ts";
import { lineOf } from "./compatibility/page.ts";

/** docs/compatibility.md lists these cases, no others, with what they give now. Slow ones are run when the page is made. */
const page = readFileSync(new URL("../docs/compatibility.md", import.meta.url), "utf8");
const sections = new Map(page.split(/^## /m).slice(1).map((section) => {
  const [title, ...lines] = section.trimEnd().split("\n");
  return [title!, lines.filter((line) => line.startsWith("| ")).slice(1)];
}));

test("the page has every kind, every input and nothing wrong", () => {
  assert.equal([...sections.keys()], kinds.map(({ title }) => title));
  for (const { title, cases } of kinds) {
    const shown = sections.get(title)!.map((line) => line.slice(0, line.lastIndexOf(" | ")));
    assert.equal(shown, cases.map(({ input }) => `| ${input.replaceAll("|", "\\|")}`));
  }
  assert.not.match(page, "**wrong**");
  assert.match(page, "refused with a reason, 0 wrong.");
});

for (const { title, cases } of kinds)
  for (const [index, each] of cases.entries())
    if (!each.isSlow) test(`${title}: ${each.input}`, async () => assert.is(lineOf(each.input, await outcomeOf(each)), sections.get(title)?.[index]));

test.run();
