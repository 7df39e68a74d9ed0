/*
 * Keeps a finished run among the results: npx tsx benchmarks/record.ts runs/<run> "<the command that made it>"
 * Writes benchmarks/results/<name>.md (machine, date, command, table) and <name>.json (run.json without pictures), and prints the table.
 */
import { readFile, stat, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseRunResult, type RunResult, type Variant } from "../pipeline/result.ts";

const [folder, command] = process.argv.slice(2);
if (!folder || !command) throw new Error("usage: tsx benchmarks/record.ts <run folder> \"<command>\"");
const file = join(folder, "run.json");
const result = parseRunResult(await readFile(file, "utf8"), file);
const at = (await stat(file)).mtime.toISOString().slice(0, 10);

const points = (value: number | undefined): string => (value === undefined ? "–" : (100 * value).toFixed(1));
const size = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e3).toFixed(0)} kB`);
const row = ({ name, accuracy, parameters, macs, sizeBytes, latency }: Variant): string => {
  const local = latency["local"];
  const time = local ? `${local.inferenceMs.p50.toFixed(local.inferenceMs.p50 < 10 ? 2 : 1)}${local.stable ? "" : " ?"}` : "–";
  return `| ${name} | ${points(accuracy?.map)} | ${points(accuracy?.map50)} | ${(parameters / 1e6).toFixed(2)} M | ${(macs / 1e6).toFixed(0)} M | ${size(sizeBytes)} | ${time} |`;
};
const table = ["| variant | mAP | mAP50 | parameters | MACs | size | p50 ms, here |", "|---|---:|---:|---:|---:|---:|---:|", ...result.variants.map(row)].join("\n");

const unstable = (run: RunResult): string => {
  const reasons = new Set(run.variants.flatMap(({ latency }) => Object.values(latency).flatMap((record) => record.unstableReasons ?? [])));
  return reasons.size > 0 ? `\n\`?\`: the benchmark judged itself not stable: ${[...reasons].slice(0, 3).join("; ")}.\n` : "";
};
const seconds = result.stages.map((stage) => `${stage.name} ${stage.seconds.toFixed(0)} s`).join(", ");
const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown CPU"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
await writeFile(join("benchmarks", "results", `${result.name}.md`),
  `# ${result.name}\n\n- date: ${at}\n- machine: ${machine}\n- command: \`${command}\`\n- stages: ${seconds} (shared machine; a stage that was reused keeps its first time)\n\n${table}\n${unstable(result)}`);
const stages = result.stages.map((stage) => (stage.name === "evaluate" ? { ...stage, report: { ...stage.report, samples: [] } } : stage));
const beside = `${resolve("..")}/`; // models beside the repository: by relative path, as their configs name them
await writeFile(join("benchmarks", "results", `${result.name}.json`), `${JSON.stringify({ ...result, stages }, null, 1).replaceAll(beside, "../")}\n`);
console.log(table);
