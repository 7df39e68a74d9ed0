import { test } from "uvu";
import * as assert from "uvu/assert";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { configJsonSchema } from "../../pipeline/config-schema.ts";
import { loadConfig, parseConfig } from "../../pipeline/config.ts";
import { readInventory } from "../../targets/inventory.ts";
import { cli, inFolder } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";

const start = "name: a\ndata: {generate: {module: make.js, train: 4, val: 2}}\ninput: {size: [96, 64]}\n";
const entries: Readonly<Record<string, string>> = { linux: "{name: d, kind: linux, host: u@h", rpi: "{name: d, kind: rpi, host: u@h", jetson: "{name: d, kind: jetson, host: u@h" };

/** Every key that runs code: a value, and the kinds of target that have it. */
const cases: Readonly<Record<string, { readonly value: string; readonly kinds?: readonly string[] }>> = {
  "data.generate.module": { value: "make.js" },
  "targets.sshConfig": { value: "evil.conf", kinds: ["linux", "rpi", "jetson"] },
  "targets.node": { value: "/bin/evil", kinds: ["linux", "rpi"] },
  "targets.sendNode": { value: "evil@1", kinds: ["linux", "rpi"] },
  "targets.python": { value: "/bin/evil", kinds: ["jetson"] },
};

interface Part { readonly runsCode?: string; readonly properties?: Readonly<Record<string, Part>>; readonly items?: Part; readonly anyOf?: readonly Part[]; readonly oneOf?: readonly Part[] }
const marked = (part: Part, name = ""): string[] => [
  ...(part.runsCode === undefined ? [] : [name]),
  ...[...(part.anyOf ?? []), ...(part.oneOf ?? []), ...(part.items ? [part.items] : [])].flatMap((inner) => marked(inner, name)),
  ...Object.entries(part.properties ?? {}).flatMap(([key, inner]) => marked(inner, name === "" ? key : `${name}.${key}`)),
];

const refused = async (work: () => unknown): Promise<UserError> => refusal(Promise.resolve().then(work));

test("every key that is marked in the schema has a case here", () =>
  assert.equal([...new Set(marked(configJsonSchema() as Part))].sort(), Object.keys(cases).sort()));

test("data.generate.module is refused with its line, and allowed without --no-code", () => inFolder(async (folder) => {
  await writeFile(join(folder, "make.js"), "");
  const path = join(folder, "c.yaml");
  assert.is(parseConfig(start, path).config.name, "a");
  const error = await refused(() => parseConfig(start, path, { allowCode: false }));
  assert.is(error.code, "CONFIG_RUNS_CODE");
  assert.match(error.message, `${path}:2: data.generate.module: `);
}));

const plain = "name: a\ndata: {train: t, val: v}\ninput: {size: [96, 64]}\n";
for (const [key, { value, kinds = [] }] of Object.entries(cases)) {
  const field = key.split(".").at(-1)!;
  for (const kind of kinds) test(`${key} of a ${kind} target is refused with its line, in a config and in an inventory`, () => inFolder(async (folder) => {
    for (const name of ["t", "v"]) await writeFile(join(folder, name), "");
    const path = join(folder, "c.yaml");
    const config = `${plain}targets:\n  - local\n  - ${entries[kind]}}\n  - ${entries[kind]!.replace("name: d", "name: e")},\n     ${field}: ${value}}\n`;
    assert.is(parseConfig(config, path).config.targets.length, 3);
    const error = await refused(() => parseConfig(config, path, { allowCode: false }));
    assert.match(error.message, `${path}:8: targets.2.${field}: `);
    assert.not.match(error.message, "targets.1");
    const [list, wrapped] = [join(folder, "list.yaml"), join(folder, "wrapped.yaml")];
    await writeFile(list, `- ${entries[kind]}}\n- ${entries[kind]!.replace("name: d", "name: e")},\n   ${field}: ${value}}\n`);
    await writeFile(wrapped, `targets:\n  - ${entries[kind]},\n     ${field}: ${value}}\n`);
    assert.match((await refusal(readInventory(list, { allowCode: false }))).message, `${list}:3: 1.${field}: `);
    assert.match((await refusal(readInventory(wrapped, { allowCode: false }))).message, `${wrapped}:3: targets.0.${field}: `);
    assert.is((await readInventory(list)).length, 2);
  }));
}

test("several keys are listed together", () => inFolder(async (folder) => {
  for (const name of ["t", "v"]) await writeFile(join(folder, name), "");
  const config = `${plain}targets:\n  - &one {name: d, kind: linux, host: h, node: /evil, sendNode: x@1}\n  - {name: e, kind: linux, host: h, sshConfig: f}\n`;
  const error = await refused(() => parseConfig(config, join(folder, "c.yaml"), { allowCode: false }));
  assert.is(error.message.split("\n").length, 4);
}));

test("a config that runs no code is taken", () => inFolder(async (folder) => {
  for (const name of ["t", "v"]) await writeFile(join(folder, name), "");
  await writeFile(join(folder, "c.yaml"), `${plain}targets: [local, ${entries["rpi"]}, port: 22, threads: 2}]\n`);
  assert.is((await loadConfig(join(folder, "c.yaml"), { allowCode: false })).config.targets.length, 2);
}));

test("every command that reads a config or an inventory has --no-code, and nothing runs", () => inFolder(async (folder) => {
  await writeFile(join(folder, "make.js"), `require("fs").writeFileSync(${JSON.stringify(join(folder, "ran"))}, "")`);
  await writeFile(join(folder, "c.yaml"), start);
  await writeFile(join(folder, "ssh.conf"), `Host *\n  ProxyCommand touch ${join(folder, "ran")}\n`);
  await writeFile(join(folder, "targets.yaml"), `- {name: d, kind: linux, host: h, sshConfig: ${join(folder, "ssh.conf")}}\n`);
  for (const args of [
    ["compress", "c.yaml"], ["targets", "list"], ["targets", "check", "d"], ["targets", "clean", "d"], ["bench", "none.onnx", "--target", "d"], ["verify", "none", "--target", "d"],
    ["bench", "none.onnx", "--targets", "targets.yaml"],
  ]) {
    const { exitCode, stderr } = await cli([...args, "--no-code"], folder);
    assert.is(exitCode, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, "CONFIG_RUNS_CODE");
  }
  assert.not.ok(existsSync(join(folder, "ran")));
  assert.match((await cli(["bundle", "--help"])).stdout, "--no-code");
}));

test.run();
