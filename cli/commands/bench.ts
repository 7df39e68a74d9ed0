import { resolve } from "node:path";
import Table from "cli-table3";
import { InvalidArgumentError, type Command } from "commander";
import { benchmarkHooks } from "../../pipeline/progress.ts";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { bytes, ms, plain } from "../../report/figures.ts";
import type { Change } from "../../targets/compare.ts";
import { action } from "../context.ts";
import { soakLines } from "../soak.ts";
import { list, positive, share, wholeNumber } from "../values.ts";

interface Options {
  readonly target: readonly string[];
  readonly targets?: string;
  readonly runs: number;
  readonly seconds: number;
  readonly threads?: number | "sweep";
  readonly batch?: readonly number[];
  readonly picture?: string;
  readonly soak?: number;
  readonly lockClocks?: boolean;
  readonly history?: string;
  readonly against?: string;
  readonly limit: number;
}

export const addBench = (program: Command): Command =>
  program.command("bench").summary("latency and FPS on this machine and on devices")
    .description("Latency and FPS of models on targets: warm-up until stable, then percentiles with their confidence, inference alone and picture to boxes. A benchmark says itself when it is not to be trusted.").argument("<model.onnx...>")
    .option("--target <name...>", "where to run: local, names of targets.yaml, or user@host", ["local"])
    .option("--targets <file>", "inventory of devices; default targets.yaml here")
    .option("--runs <n>", "fewest measured runs of each model", wholeNumber, 200)
    .option("--seconds <s>", "shortest measuring time of each model", positive, 10)
    .option("--threads <n|sweep>", "threads of the runtime; sweep is 1 to all cores; default all cores of the target", threadCount)
    .option("--batch <a,b,…>", "pictures per run", (text: string) => list(text).map(wholeNumber))
    .option("--picture <image>", "also time picture to boxes")
    .option("--soak <time>", "FPS over time with temperature afterwards, e.g. 10m or 30s", duration)
    .option("--lock-clocks", "lock the clocks for the run and restore them whatever happens (Jetson)")
    .option("--history <file>", "append the records to this file (JSON lines)")
    .option("--against <earlier.json>", "compare with an earlier `bench --json` or history file; exit 1 on a regression")
    .option("--limit <share>", "regression: p50 slower by more than this share, and significantly (Mann-Whitney, p < 0.01)", share, 0.05)
    .addHelpText("after", `
Examples:
  edgestill bench teacher.onnx student.onnx int8.onnx
  edgestill bench int8.onnx --target pi5 --threads sweep --picture street.jpg
  edgestill bench int8.onnx --target pi@pi5.local --soak 10m --json > now.json
  edgestill bench int8.onnx --target pi5 --against last-week.json --limit 0.03`)
    .action(action<[string[]], Options>(async ({ reporter, signal, result }, [models], { target, targets, runs, seconds, threads, batch, picture, soak, lockClocks, history, against, limit }) => {
      const [{ appendHistory, benchModels, checkHistory, readRecords }, { findInventory }] = [await import("../../pipeline/models/bench.ts"), await import("../../targets/inventory.ts")];
      const earlier = against === undefined ? undefined : await readRecords(against);
      if (history !== undefined) await checkHistory(history);
      const { hooks, end } = benchmarkHooks(reporter, "measuring", signal);
      const records = await benchModels(models, {
        targets: target, inventory: await findInventory(targets), runs, seconds, hooks, ...(threads !== undefined && { threads }), ...(batch && { batches: batch }),
        ...(picture !== undefined && { picture }), ...(soak !== undefined && { soakSeconds: soak }), ...(lockClocks && { lockClocks }), ...(earlier && { against: earlier }),
      }).finally(end);
      if (earlier === undefined || against === undefined) {
        if (history !== undefined) await appendHistory(history, records);
        result(records, () => [tableOf(records), ...records.flatMap(soakLines)].join("\n"));
        return 0;
      }
      const { compareRecords, isSameSetup, setupOf } = await import("../../targets/compare.ts");
      const isOneFile = history !== undefined && resolve(history) === resolve(against);
      let changes: readonly Change[] = [];
      try {
        changes = compareRecords(earlier, records, limit);
      } finally {
        // a regression that joined the file it failed against would be the next run's measure
        if (history !== undefined) await appendHistory(history, records.filter((record) => !isOneFile || !changes.some((change) => change.regressed && isSameSetup(change, record))));
      }
      result({ records, changes }, () => [tableOf(records), ...records.flatMap(soakLines), changeTable(changes)].join("\n"));
      for (const record of records) if (!changes.some((change) => isSameSetup(change, record))) reporter.line(`note: ${setupOf(record)} has no earlier record: not compared`);
      const regressions = changes.filter(({ regressed }) => regressed);
      for (const change of regressions) {
        const doubts = change.doubts.length > 0 ? ` (to be doubted: ${change.doubts.join("; ")})` : "";
        reporter.warn(`regression: ${setupOf(change)} is ${(100 * change.slower).toFixed(1)} % slower, limit ${plain(100 * limit)} %${doubts}${isOneFile ? `; not added to ${history}` : ""}`);
      }
      return regressions.length > 0 ? 1 : 0;
    }));

const threadCount = (text: string): number | "sweep" => (text === "sweep" ? "sweep" : wholeNumber(text));

/** "10m", "30s" or "1h" in seconds. */
const duration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  const seconds = Number(match?.[1]) * { s: 1, m: 60, h: 3600 }[(match?.[2] ?? "s") as "s" | "m" | "h"];
  if (!(seconds > 0)) throw new InvalidArgumentError("give a time such as 30s, 10m or 1h.");
  return seconds;
};

const tableOf = (records: readonly BenchmarkRecord[]): string => {
  const table = new Table({
    head: ["model", "target", "threads", "batch", "p50 ms (95 %)", "p90", "p99", "FPS", "to boxes p50", "memory", "heat", "stable"], style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "right", "right", "right", "right", "left"],
  });
  for (const { model, target, threads, batch, inferenceMs, confidenceMs, fps, endToEndMs, endToEndFrom, memoryBytes, thermal, stable, emulated, unstableReasons = [] } of records) {
    const interval = confidenceMs ? ` (${ms(confidenceMs.p50[0])}–${ms(confidenceMs.p50[1])})` : "";
    const time = (text: string): string => (emulated === true ? "–" : text);
    table.push([
      model, target, threads, batch, time(`${ms(inferenceMs.p50)}${interval}`), time(ms(inferenceMs.p90)), time(ms(inferenceMs.p99)), time(ms(fps)),
      time(endToEndMs ? `${ms(endToEndMs.p50)}${endToEndFrom === "pixels" ? " (from pixels)" : ""}` : "–"), typeof memoryBytes === "number" ? bytes(memoryBytes) : "–",
      time(typeof thermal?.maxC === "number" ? `${thermal.maxC.toFixed(0)} °C` : "–"), stable ? "yes" : `no: ${unstableReasons.join("; ")}`,
    ]);
  }
  return [table.toString(), ...records.flatMap(hostLine)].join("\n");
};

const hostLine = ({ model, target, againstHost }: BenchmarkRecord): string[] =>
  againstHost ? [`${model} on ${target}: outputs ${againstHost.bitEqual ? "bit-equal to" : `within ${againstHost.maxAbsError.toPrecision(2)} of`} this machine's`] : [];

const changeTable = (changes: readonly Change[]): string => {
  const table = new Table({ head: ["model", "target", "threads", "batch", "p50 then", "now", "slower", "p", "verdict"], style: { head: [], border: [], compact: true } });
  for (const { model, target, threads, batch, beforeMs, afterMs, slower, p, regressed, doubts } of changes) {
    table.push([model, target, threads, batch, ms(beforeMs), ms(afterMs), `${(100 * slower).toFixed(1)} %`, p === null ? "–" : p.toPrecision(2), `${regressed ? "REGRESSION" : "ok"}${doubts.length > 0 ? ` (${doubts.join("; ")})` : ""}`]);
  }
  return table.toString();
};
