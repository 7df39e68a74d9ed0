import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";

const works = async (command: string): Promise<boolean> => (await execa(command, ["--version"], { reject: false })).exitCode === 0;
const cmake = await works("cmake");
export const compilers = cmake ? (await Promise.all(["g++", "clang++"].map(async (name) => ((await works(name)) ? name : "")))).filter(Boolean) : [];

/** Runs where a C++ compiler is; says what is missing elsewhere. */
export const compiled = (name: string, missing: string | false, body: () => Promise<void>): void => {
  const reason = !cmake ? "cmake is not installed" : compilers.length === 0 ? "neither g++ nor clang++ is installed" : missing;
  if (reason) {
    console.warn(`skipped, ${reason}: ${name}`);
    test.skip(name);
  } else test(name, body);
};
export const oneMissing = (name: string): string | false => !compilers.includes(name) && `${name} is not installed`;

const folders: string[] = [];
export const temporary = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-cpp-"));
  folders.push(folder);
  return folder;
};
test.after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export const sanitized = ["-DEDGESTILL_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=Debug"];

/** Configures, builds and runs ctest; the end of the output is in the error. `only`: that executable and its tests. */
export const ctest = async (bundle: string, compiler: string, options: readonly string[], env: Record<string, string> = {}, only?: string): Promise<string> => {
  const build = join(await temporary(), "build");
  await run("cmake", ["-S", join(bundle, "cpp"), "-B", build, `-DCMAKE_CXX_COMPILER=${compiler}`, ...options]);
  await run("cmake", ["--build", build, "--parallel", "2", ...(only ? ["--target", only] : [])]);
  return run("ctest", ["--test-dir", build, "--output-on-failure", "--no-tests=error", "--verbose", ...(only ? ["--tests-regex", `^${only}`] : [])], env);
};
export const run = async (command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const { exitCode, all } = await execa(command, args, { reject: false, all: true, env });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${exitCode}\n${all.slice(-3000)}`);
  return all;
};
