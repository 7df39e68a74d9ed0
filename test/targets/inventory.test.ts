import { test } from "uvu";
import * as assert from "uvu/assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../../pipeline/config.ts";
import { chooseTargets, readInventory } from "../../targets/inventory.ts";
import { targetKinds } from "../../targets/kinds.ts";
import { shellWord as quote } from "../../escape/shell.ts";
import { refusal } from "../helpers/refusal.ts";

const reading = async (text: string) => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-inventory-"));
  const path = join(folder, "targets.yaml");
  await writeFile(path, text);
  return readInventory(path).finally(() => rm(folder, { recursive: true }));
};

test("a list, a config's targets, and this machine", async () => {
  const pi = { name: "pi5", kind: "rpi", host: "pi@pi5.local" };
  assert.equal(await reading("- local\n- {name: pi5, kind: rpi, host: pi@pi5.local}\n"), ["local", pi]);
  assert.equal(await reading("name: road\ntargets: [{name: pi5, kind: rpi, host: pi@pi5.local}]\n"), [pi]);
});

for (const [what, text, words] of [
  ["no list", "name: x\n", "no list of targets"], ["an unknown kind", "- {name: a, kind: toaster, host: b}\n", "kind must be one of local, linux, rpi, jetson"], ["a kind that every object has", "- {name: a, kind: constructor, host: b}\n", "kind must be one of local"], ["no host", "- {name: a, kind: rpi}\n", "targets.0.host"],
  ["a host that is an option", "- {name: a, kind: rpi, host: -oProxyCommand=x}\n", "a host as ssh takes it"], ["an unknown key", "- {name: a, kind: rpi, host: b, pasword: c}\n", "pasword"],
  ["a name twice", "- {name: a, kind: rpi, host: b}\n- {name: a, kind: linux, host: c}\n", '"a" is listed twice'], ["broken YAML", "- {name: a\n", "targets.yaml"],
] as const) {
  test(`an inventory is refused with its reason: ${what}`, async () => {
    const error = await refusal(reading(text));
    assert.is(error.code, "INVENTORY");
    assert.match(error.message, words);
  });
}

test("targets by name; user@host is a Linux device; another name is refused", async () => {
  const inventory = await reading("- {name: pi5, kind: rpi, host: pi@pi5.local}\n");
  assert.equal(chooseTargets(inventory, ["pi5", "local"]), [inventory[0], "local"]);
  assert.equal(chooseTargets([], ["me@box.lan"]), [{ name: "me-box-lan", kind: "linux", host: "me@box.lan" }]);
  assert.is((await refusal(Promise.resolve().then(() => chooseTargets(inventory, ["orin"])))).code, "UNKNOWN_TARGET");
});

test("a config takes devices, and names an unknown kind", async () => {
  const config = (targets: string): string => `name: a\ndata: {train: ., val: .}\ninput: {size: [64, 64]}\ntargets: ${targets}\n`;
  const { config: { targets } } = parseConfig(config("[local, {name: pi5, kind: rpi, host: pi@pi5.local, threads: 3}]"), "config.yaml");
  assert.equal(targets[1], { name: "pi5", kind: "rpi", host: "pi@pi5.local", threads: 3 });
  const error = await refusal(Promise.resolve().then(() => parseConfig(config("[{name: pi5, kind: toaster, host: a}]"), "config.yaml")));
  assert.match(error.message, /config\.yaml:4: targets\.0\.kind/);
});

test("every kind is a row under its own name", () => {
  for (const [name, kind] of Object.entries(targetKinds)) assert.is(kind.name, name);
});

test("plain words stay readable, all others are quoted", () => {
  assert.is(quote("/home/pi/a-b_c.onnx"), "/home/pi/a-b_c.onnx");
  assert.is(quote("it's"), `'it'\\''s'`);
  assert.is(quote(""), "''");
  assert.is(quote("~/x"), "'~/x'");
});

test.run();
