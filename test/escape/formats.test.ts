import { test } from "uvu";
import * as assert from "uvu/assert";
import { nameProblem } from "../../escape/names.ts";
import { inFolder } from "../helpers/cli.ts";
import { hostileNames } from "../helpers/hostile-names.ts";
import { formats, isHere } from "./readers.ts";

const names = hostileNames(600);

test("the hostile names are names, and none is another", () => {
  assert.ok(names.length >= 600);
  assert.is(new Set(names.map((name) => name.normalize("NFC"))).size, names.length);
  assert.equal(names.filter((name) => nameProblem(name) !== undefined), []);
});

for (const { name, reader, needs, read } of formats) {
  const title = `${name}: ${names.length} hostile names come back exactly from ${reader}`;
  if (!isHere(needs)) {
    console.warn(`skipped, ${[needs].flat()[0]} cannot read it here: ${title}`);
    test.skip(title);
  } else test(title, () => inFolder(async (folder) => {
    const found = await read(names, folder);
    assert.is(found.length, names.length);
    assert.equal(names.flatMap((wanted, at) => (found[at] === wanted ? [] : [[wanted, found[at]]])).slice(0, 5), []);
  }));
}

test.run();
