import { execa } from "execa";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** The runner behind `npm test`: every test file in a process of its own, two at a time. `npm test -- cli vision` runs those whose path contains a word. */

interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const root = join(import.meta.dirname, "..");
const parallel = 2;
const filters = process.argv.slice(2);

const testFiles = async (): Promise<string[]> => {
  const entries = await readdir(join(root, "test"), { recursive: true });
  const files = entries.map((entry) => join("test", entry).replaceAll("\\", "/")).filter((file) => file.endsWith(".test.ts"));
  return files.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
};

/** uvu's summary of the last suites: "  Total:     3", "  Passed:    3", "  Skipped:   0". */
const sumOf = (label: string, text: string): number => [...text.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)`, "gm"))].reduce((sum, match) => sum + Number(match[1]), 0);

/** Skips that a file announces itself: lines that start with "skipped:" or "skip:". */
const announced = (text: string): number => [...text.matchAll(/^\s*skip(?:ped)?:\s*(?=[^\s\d])/gim)].length;

const runFile = async (file: string): Promise<FileResult> => {
  const started = performance.now();
  const { all = "", exitCode, timedOut } = await execa(process.execPath, ["--import", "tsx", file], {
    cwd: root, all: true, reject: false, timeout: 600_000, forceKillAfterDelay: 5000, env: { NO_COLOR: "1", FORCE_COLOR: "0", ORT_DISABLE_TELEMETRY: "1" }, stdin: "ignore",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const total = sumOf("Total", all);
  const passed = sumOf("Passed", all);
  const skipped = sumOf("Skipped", all) + announced(all);
  const crashed = exitCode !== 0 && total - passed === 0 ? 1 : 0;
  const failed = total - passed + crashed;
  if (failed > 0) console.log(`FAIL ${file} (${seconds} s${timedOut ? ", timed out" : ""})\n${all.split("\n").map((line) => `  ${line}`).join("\n")}`);
  else {
    console.log(`ok   ${file}: ${passed} passed${skipped > 0 ? `, ${skipped} skipped` : ""} (${seconds} s)`);
    for (const line of all.split("\n").filter((text) => /^\s*skip(?:ped)?[:,]\s*(?=[^\s\d])/i.test(text))) console.log(`     ${line.trim()}`);
  }
  return { file, passed, failed, skipped };
};

const files = await testFiles();
const results: FileResult[] = [];
let next = 0;
const worker = async (): Promise<void> => {
  for (let index = next++; index < files.length; index = next++) results.push(await runFile(files[index]!));
};
await Promise.all(Array.from({ length: parallel }, worker));

const sum = (pick: (result: FileResult) => number): number => results.reduce((total, result) => total + pick(result), 0);
const [passed, failed, skipped] = [sum((result) => result.passed), sum((result) => result.failed), sum((result) => result.skipped)];
if (files.length === 0) console.log(`no test file matches ${filters.join(", ")}`);
for (const { file } of results.filter((result) => result.failed > 0)) console.log(`failed: ${file}`);
process.exitCode = failed > 0 || files.length === 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
