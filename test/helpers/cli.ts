import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const main = join(root, "cli", "main.ts");

export interface CliResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command line in a process of its own, as a pipe sees it. */
export const startCli = (args: readonly string[], cwd = root) =>
  execa(process.execPath, ["--import", import.meta.resolve("tsx"), main, ...args], { cwd, reject: false, env: { NO_COLOR: "1", FORCE_COLOR: "0" }, stdin: "ignore" });

export const cli = async (args: readonly string[], cwd = root): Promise<CliResult> => {
  const { exitCode, stdout, stderr } = await startCli(args, cwd);
  return { exitCode, stdout, stderr };
};

/** Gives `work` an empty folder and removes it afterwards. */
export const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
