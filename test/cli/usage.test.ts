import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cli, inFolder } from "../helpers/cli.ts";
import { createProgram } from "../../cli/program.ts";

test("every command has help with an example", () => {
  for (const command of createProgram().commands) {
    let text = "";
    command.configureOutput({ writeOut: (part) => { text += part; } }).outputHelp();
    assert.match(text, /Examples?:\n\s+edgestill/, command.name());
    assert.match(text, /--json/, command.name());
  }
});

test("help is no error; an unknown command, option or value is wrong use", async () => {
  assert.is((await cli(["compress", "--help"])).exitCode, 0);
  for (const args of [["frobnicate"], ["inspect"], ["eval", "m.onnx"], ["prune", "m.onnx", "--macs", "7", "-o", "o.onnx"]]) {
    const { exitCode, stdout, stderr } = await cli(args);
    assert.is(exitCode, 2, args.join(" "));
    assert.is(stdout, "");
    assert.match(stderr, /error/);
  }
});

test("a bad config: exit 2, all problems with lines, nothing on stdout, no folder made", () => inFolder(async (folder) => {
  await writeFile(join(folder, "bad.yaml"), "name: x\nsed: 1\ndata: {train: no.json, val: no.json}\ninput: {size: [100, 64]}\n");
  const { exitCode, stdout, stderr } = await cli(["compress", "bad.yaml", "--json"], folder);
  assert.is(exitCode, 2);
  assert.is(stdout, "");
  for (const words of ["bad.yaml:2: unknown key", "bad.yaml:3: data.train", "bad.yaml:3: data.val", "bad.yaml:4: input.size.0", "next step"]) assert.match(stderr, words);
  assert.not.match(stderr, /\n\s+at /);
}));

test("init writes a config, explains the next step and refuses to overwrite", () => inFolder(async (folder) => {
  const first = await cli(["init"], folder);
  assert.is(first.exitCode, 0);
  assert.match(first.stderr, "edgestill compress config.yaml");
  const before = await readFile(join(folder, "config.yaml"), "utf8");
  await writeFile(join(folder, "config.yaml"), `${before}# mine\n`);
  const second = await cli(["init"], folder);
  assert.is(second.exitCode, 2);
  assert.match(await readFile(join(folder, "config.yaml"), "utf8"), "# mine");
  assert.ok("properties" in (JSON.parse((await cli(["init", "--schema"], folder)).stdout) as object));
}));

test.run();
