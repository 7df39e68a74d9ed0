import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outcomeOf, type Outcome } from "../test/compatibility/case.ts";
import { pageOf } from "../test/compatibility/page.ts";
import { kinds } from "../test/compatibility/kinds.ts";

/** Runs every case of test/compatibility and writes docs/compatibility.md. Run: npx tsx docs/make-compatibility.ts */

const outcomes = new Map<string, Outcome>();
let wrong = 0;
for (const { title, cases } of kinds) {
  for (const each of cases) {
    const outcome = await outcomeOf(each);
    outcomes.set(`${title}\n${each.input}`, outcome);
    if (!outcome.isWrong) continue;
    wrong++;
    console.error(`${each.input}: ${outcome.text}`);
  }
}
await writeFile(join(import.meta.dirname, "compatibility.md"), pageOf(kinds, (title, input) => outcomes.get(`${title}\n${input}`)!));
console.log(`${outcomes.size} inputs, ${wrong} wrong`);
process.exitCode = wrong > 0 ? 1 : 0;
