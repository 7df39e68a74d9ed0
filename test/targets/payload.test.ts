import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localTransport } from "../../targets/local-transport.ts";
import { sendNode } from "../../targets/payload.ts";
import { inFolder } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";

process.env["npm_config_ignore_scripts"] = "false"; // a user's own setting must not hide ours

/** An npm package that leaves a mark for each of its scripts that runs. */
const makePackage = async (folder: string, program: (path: string) => Promise<void>): Promise<string> => {
  const root = join(folder, "package-of-node");
  await mkdir(join(root, "bin"), { recursive: true });
  const scripts = Object.fromEntries(["preinstall", "install", "postinstall", "prepare", "prepack", "postpack"].map((name) => [name, `touch ${join(folder, "ran")}-${name}`]));
  await writeFile(join(root, "package.json"), JSON.stringify({ name: "node-of-somebody", version: "1.0.0", scripts }));
  await program(join(root, "bin", "node"));
  return root;
};
const marks = (folder: string): string[] => ["preinstall", "install", "postinstall", "prepare", "prepack", "postpack"].filter((name) => existsSync(`${join(folder, "ran")}-${name}`));

const send = async (folder: string, spec: string): Promise<string> => {
  await mkdir(join(folder, "scratch"), { recursive: true });
  return sendNode(localTransport({ XDG_CACHE_HOME: join(folder, "device") }), spec, join(folder, "scratch"), {});
};

test("sendNode: a package's program travels, none of its scripts runs", () => inFolder(async (folder) => {
  const root = await makePackage(folder, async (path) => { await writeFile(path, "#!/bin/sh\necho v22\n"); await chmod(path, 0o755); });
  const remote = await send(folder, `file:${root}`);
  assert.is(await readFile(remote, "utf8"), "#!/bin/sh\necho v22\n");
  assert.equal(marks(folder), []);
  await execa("npm", ["pack", "--silent", "--pack-destination", folder, "--", `file:${root}`]);
  assert.ok(marks(folder).includes("prepack"), "npm itself would have run them");
}));

test("sendNode: a package whose bin/node is a link to a file of this machine is refused", () => inFolder(async (folder) => {
  await writeFile(join(folder, "secret"), "secret");
  const root = await makePackage(folder, (path) => symlink(join(folder, "secret"), path));
  await execa("tar", ["-czf", join(folder, "evil.tgz"), "--transform", "s,^package-of-node,package,S", "-C", folder, "package-of-node"]);
  assert.is((await refusal(send(folder, `file:${join(folder, "evil.tgz")}`))).code, "NODE_SOURCE");
  assert.is((await refusal(send(folder, `file:${root}`))).code, "NODE_SOURCE");
}));

for (const spec of ["git+ssh://git@host.invalid/x.git", "git+file:///tmp/x", "github:owner/name", "owner/name", "https://host.invalid/node.tgz", "name@git+ssh://host.invalid/x", "name@https://host.invalid/x.tgz", "name@npm:other", "--global", "name; rm", "a b", ""])
  test(`sendNode: "${spec}" is neither a package nor a file, so nothing is fetched`, () => inFolder(async (folder) => {
    assert.is((await refusal(send(folder, spec))).code, "NODE_SOURCE");
  }));

test.run();
