import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getuid } from "node:process";
import { inFolder } from "../helpers/cli.ts";
import { writeConfig } from "../helpers/scenes.ts";

/** Folders that cannot be used, on the command line, as a user whom the system refuses (root may write everywhere). */
const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");
const asUser = getuid?.() === 0 ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [];
const skip = process.platform !== "linux" ? "modes of Linux"
  : asUser.length > 0 && spawnSync(asUser[0]!, [...asUser.slice(1), process.execPath, "-e", `fs.accessSync(${JSON.stringify(main)})`]).status !== 0 ? "no other user that can read this checkout" : undefined;

const run = (args: readonly string[], cwd: string) => {
  const [command, ...words] = [...asUser, process.execPath, "--import", import.meta.resolve("tsx"), main, ...args];
  return execa(command!, words, { cwd, reject: false, stdin: "ignore", env: { NO_COLOR: "1", HOME: cwd } });
};

const cases: readonly (readonly [what: string, args: readonly string[], error: RegExp])[] = [
  ["a runs folder below a read-only one", ["compress", "config.yaml", "--runs", "closed/runs"], /error \[CANNOT_WRITE\]: .*closed\/runs\/\S*: permission is denied\./],
  ["a runs folder that is a file", ["compress", "config.yaml", "--runs", "file"], /error \[CANNOT_WRITE\]: .*a part of its path is no folder\./],
  ["a runs folder whose links form a loop", ["compress", "config.yaml", "--runs", "loop"], /error \[CANNOT_WRITE\]: .*its links form a loop\./],
  ["a runs folder that the system never makes", ["compress", "config.yaml", "--runs", "/proc/runs"], /error \[CANNOT_WRITE\]: .*\/proc\/runs/],
  ["a config in a read-only folder", ["init", "closed/config.yaml"], /error \[USAGE\]: Cannot write closed\/config.yaml: permission is denied\./],
  ["an int8 model in a read-only folder", ["quantize", "teacher.onnx", "--data", "data", "-o", "closed/a.onnx"], /error \[MODEL_WRITE\]: .* closed\/a.onnx: permission is denied\./],
  ["an int8 model onto a folder", ["quantize", "teacher.onnx", "--data", "data", "-o", "closed"], /error \[MODEL_WRITE\]: .* closed: it is a folder/],
  ["an int8 model onto a device", ["quantize", "teacher.onnx", "--data", "data", "-o", "/dev/full"], /error \[MODEL_WRITE\]: .* \/dev\/full: it is a device/],
  ["a pruned model whose masked one cannot be written", ["prune", "teacher.onnx", "--macs", "0.7", "-o", "/dev/null", "--save-masked", "closed/a.onnx"], /error \[MODEL_WRITE\]: .* closed\/a.onnx: permission is denied\./],
  ["detections onto a folder", ["eval", "teacher.onnx", "--data", "data/val.json", "--save-detections", "closed"], /error \[CANNOT_WRITE\]: Cannot write closed: it is a folder/],
];

for (const [what, args, error] of cases) test(`${what} is told in words`, () => inFolder(async (folder) => {
  if (skip !== undefined) return console.log(`skipped: ${what} (${skip})`);
  await mkdir(join(folder, "data", "images"), { recursive: true });
  for (const name of ["data/train.json", "data/val.json", "teacher.onnx"]) await writeFile(join(folder, name), ""); // the run folder is taken before they are read
  await writeConfig(folder, ["teacher: {model: teacher.onnx}"]);
  await writeFile(join(folder, "file"), "");
  await mkdir(join(folder, "closed"));
  await chmod(join(folder, "closed"), 0o555);
  await symlink("loop", join(folder, "loop"));
  await chmod(folder, 0o755);
  const { stderr, exitCode } = await run(args, folder);
  assert.ok(error.test(stderr), stderr);
  assert.match(stderr, "next step");
  assert.ok(exitCode === 1 || exitCode === 2);
}));

test.run();
