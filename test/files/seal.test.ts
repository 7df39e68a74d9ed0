import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { damageOf, readSealed, sealedText, sealOf, unseal } from "../../files/seal.ts";

const content = { map: 0.25, perClass: { car: null, "10": 1e-7, "<b>\u2028": -0 }, list: [1, "a\nb", { x: true }], none: undefined };
const text = sealedText("accuracy abc", content);
const plain = JSON.stringify(JSON.parse(JSON.stringify(content)));

test("a sealed record gives back what was written", () => {
  assert.is(JSON.stringify(unseal(text, "accuracy abc").content), plain);
  assert.is(JSON.stringify(unseal(sealedText("accuracy abc", content, 0), "accuracy abc").content), plain);
});

test("every bit that changes in a sealed record is found, or changes nothing of its content", () => {
  const bytes = Buffer.from(text);
  let found = 0;
  for (let at = 0; at < bytes.length * 8; at++) {
    const changed = Buffer.from(bytes);
    changed[at >> 3]! ^= 1 << (at & 7);
    const result = unseal(changed.toString(), "accuracy abc");
    if (result.damage === undefined) assert.is(JSON.stringify(result.content), plain, `bit ${at}`);
    else found++;
  }
  assert.ok(found > 0.7 * bytes.length * 8, `${found} of ${bytes.length * 8}`); // the rest is white space between values
});

test("a sealed record that is cut short at any place is found", () => {
  const whole = text.trimEnd().length;
  for (let length = 0; length < whole; length++) assert.is.not(unseal(text.slice(0, length), "accuracy abc").damage, undefined, `${length}`);
});

test("a record of something else, one without digest, and other JSON are named", () => {
  assert.is(unseal(text, "accuracy abd").damage, "belongs to something else");
  assert.is(unseal(text, undefined).damage, undefined);
  for (const other of ["[]", "null", "{}", "3", JSON.stringify(content)]) assert.is(unseal(other, "accuracy abc").damage, "has no digest (an older version wrote it)");
  assert.is(unseal('{"seal":{"of":1}}', undefined).damage, "is not what was written");
});

test("a sealed file that is changed, longer, cut short, empty or gone is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "seal-"));
  const file = join(folder, "a");
  await writeFile(file, "0123456789");
  const seal = await sealOf(folder, "a");
  assert.is(await damageOf(folder, seal), undefined);
  await writeFile(file, "0123456788");
  assert.is(await damageOf(folder, seal), "is not what was written");
  await appendFile(file, "x");
  assert.is(await damageOf(folder, seal), "is not what was written");
  await truncate(file, 4);
  assert.is(await damageOf(folder, seal), "is cut short");
  await truncate(file, 0);
  assert.is(await damageOf(folder, seal), "is empty");
  await rm(file);
  assert.is(await damageOf(folder, seal), "is missing");
  assert.is((await readSealed(file, "b")).damage, "is missing");
  assert.is((await readSealed(folder, "b")).damage, "cannot be read");
});

test.run();
