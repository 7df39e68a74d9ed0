import { execa } from "execa";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeScenes, writeConfig } from "../helpers/scenes.ts";
import { packageFiles } from "./package-files.ts";
import { registryOnly } from "./registry-only.ts";

/**
 * The packed tarball as a user gets it: `npm run check:install` builds and packs, installs in an empty folder by the line that the README
 * gives, with a home and a cache of its own and no host but the npm registry, and works from there.
 */
const root = join(import.meta.dirname, "../..");
const folder = await mkdtemp(join(tmpdir(), "edgestill-install-"));
const [project, home] = [join(folder, "project"), join(folder, "home")];
const env = {
  PATH: [join(project, "node_modules", ".bin"), process.env["PATH"]].join(delimiter), HOME: home, USERPROFILE: home, NO_COLOR: "1",
  XDG_CACHE_HOME: join(home, ".cache"),
};
/** Only what is named here: no setting of whoever runs this. */
const inProject = { cwd: project, env, extendEnv: false, reject: false, stdin: "ignore" } as const;
const test = suite("install as a user");
const has = (command: string, ...args: string[]): Promise<boolean> => execa(command, args, { reject: false }).then(({ exitCode }) => exitCode === 0);
const hasStrace = await has("strace", "-V");
if (!hasStrace) console.log("skipped: system calls are not watched (no strace here)");

/** `edgestill` as it is found by a shell in the project; with strace it must open no internet socket and leave the home as it was. */
const edgestill = async (...args: string[]): Promise<string> => {
  const log = join(folder, "calls.txt");
  const command = ["edgestill", ...args];
  const [program, ...rest] = hasStrace ? ["strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", log, ...command] : command;
  const before = await readdir(home, { recursive: true });
  const { exitCode, stdout, stderr } = await execa(program!, rest, inProject);
  assert.is(exitCode, 0, stderr);
  assert.equal(await readdir(home, { recursive: true }), before, "files in the home folder");
  if (hasStrace) assert.equal((await readFile(log, "utf8")).split("\n").filter((line) => line.includes("AF_INET")), []);
  return stdout;
};

let tarball = "";
test("the tarball holds what was built, the documentation and nothing else", async () => {
  await Promise.all([project, home].map((each) => mkdir(each)));
  await execa("npm", ["run", "build"], { cwd: root });
  const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>);
  tarball = join(folder, packed!.filename);
  const [held, expected] = [packed!.files.map(({ path }) => path), await packageFiles(root)];
  assert.equal({ extra: held.filter((path) => !expected.includes(path)), missing: expected.filter((path) => !held.includes(path)) }, { extra: [], missing: [] });
});

test("the README's line installs it, asking no host but the npm registry", async () => {
  const line = /^npm install (.*)edgestill(?= |$)/m.exec(await readFile(join(root, "README.md"), "utf8"));
  assert.ok(line, "the README has no line that starts with npm install and names edgestill");
  const { stdout: registry } = await execa("npm", ["config", "get", "registry"], { cwd: root });
  const proxy = await registryOnly(new URL(registry).hostname);
  const settings = { npm_config_registry: registry, npm_config_https_proxy: proxy.url, npm_config_proxy: proxy.url };
  const { exitCode, all } = await execa("npm", ["install", ...line[1]!.trim().split(/ +/), tarball], { ...inProject, env: { ...env, ...settings }, all: true });
  proxy.close();
  assert.is(exitCode, 0, all);
  assert.equal(proxy.refused, []);
  assert.ok(proxy.connections > 0, "the registry was not asked through the proxy");
});

test("nothing of the tools that build and test it is installed, and it has no install script of its own", async () => {
  const installed = await readdir(join(project, "node_modules"));
  assert.equal(installed.filter((name) => ["tsx", "typescript", "esbuild", "uvu", "eslint"].includes(name)), []);
  const { scripts } = JSON.parse(await readFile(join(project, "node_modules/edgestill/package.json"), "utf8")) as { scripts: Record<string, string> };
  assert.equal(Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name)), []);
});

test("npx, --help and --version", async () => {
  assert.match((await execa("npx", ["edgestill", "--help"], inProject)).stdout, "Usage: edgestill");
  assert.match(await edgestill("--help"), "compress");
  assert.match(await edgestill("--version"), /^\d+\.\d+\.\d+$/);
});

test("init writes a config that the schema of the package accepts", async () => {
  await edgestill("init", "new.yaml");
  assert.match(await readFile(join(project, "new.yaml"), "utf8"), "data:");
});

test("compress runs a small job to its bundle and report, predict reads what it made; telemetry stays off", async () => {
  await makeScenes(project, 6, 4);
  await writeConfig(project, ["distill: {epochs: 1, batch: 6, evaluateEvery: 0}", "quantize: {images: 4, maxDrop: 1}", "allowedDrop: {quantize: 1}", "bundle: {formats: [cpp]}"]);
  await edgestill("compress", "config.yaml", "--runs", "runs");
  const run = (await readdir(join(project, "runs"))).find((name) => name.startsWith("tiny-"));
  const files = await readdir(join(project, "runs", run!), { recursive: true });
  for (const name of ["run.json", "report.html", "manifest.json"]) assert.ok(files.some((file) => file.endsWith(name)), `no ${name} in ${files.join("\n")}`);
  const model = files.find((file) => /int8\.cpu[^/]*\.onnx$/.test(file)) ?? files.find((file) => file.endsWith(".onnx"))!;
  const [picture] = await readdir(join(project, "data/images"));
  JSON.parse(await edgestill("predict", join("runs", run!, model), join("data/images", picture!), "--json"));
});

for (const [resolution, module] of [["nodenext", "nodenext"], ["bundler", "esnext"]] as const) test(`types resolve with moduleResolution ${resolution}`, async () => {
  await writeFile(join(project, "program.mts"), [
    `import { compress, parseModel, predictImages, Tensor, UserError, type CompressResult, type Graph } from "edgestill";`,
    `const graph: Graph = parseModel(new Uint8Array()).graph;`,
    `export const run = async (): Promise<CompressResult | string> => {`,
    `  const tensor: Tensor = Tensor.float32([1], [graph.opset]);`,
    `  try { return await compress({ config: "config.yaml" } as unknown as Parameters<typeof compress>[0]); }`,
    `  catch (error) { return error instanceof UserError ? error.code + String(tensor.size) + typeof predictImages : "?"; }`,
    `};`,
    `// @ts-expect-error the types are not any`,
    `export const wrong: number = graph.name;`, "",
  ].join("\n"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--target", "es2023", "--module", module, "--moduleResolution", resolution, "--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
  const { exitCode, all } = await execa(process.execPath, [tsc, ...options, "program.mts"], { ...inProject, all: true });
  assert.is(exitCode, 0, all);
});

test.after(() => rm(folder, { recursive: true, force: true }));
test.run();
