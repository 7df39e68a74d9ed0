import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { benchmarkHooks } from "../../pipeline/progress.ts";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { bytes, ms, plain } from "../../report/figures.ts";
import type { Change } from "../../targets/compare.ts";
import { action } from "../context.ts";
import { addNoCode, type TrustOptions } from "../no-code.ts";
import { soakLines } from "../soak.ts";
import { textTable, type TextColumn } from "../text-table.ts";
import { list, positive, share, wholeNumber } from "../values.ts";

interface Options extends TrustOptions {
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
  readonly allowUnstable: boolean;
  readonly limit: number;
}

export const addBench = (program: Command): Command =>
  addNoCode(program.command("bench")).summary("latency and FPS on this machine and on devices")
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
    .option("--allow-unstable", "compare with an earlier record that is not stable, where there is no stable one", false)
    .option("--limit <share>", "regression: p50 slower by more than this share, and significantly (Mann-Whitney, p < 0.01)", share, 0.05)
    .addHelpText("after", `
Examples:
  edgestill bench teacher.onnx student.onnx int8.onnx
  edgestill bench int8.onnx --target pi5 --threads sweep --picture street.jpg
  edgestill bench int8.onnx --target pi@pi5.local --soak 10m --json > now.json
  edgestill bench int8.onnx --target pi5 --against last-week.json --limit 0.03`)
    .action(action<[string[]], Options>(async ({ reporter, signal, result }, [models], { target, targets, runs, seconds, threads, batch, picture, soak, lockClocks, history, against, allowUnstable, limit, code }) => {
      const [{ appendHistory, benchModels, checkHistory, readRecords }, { findInventory }] = [await import("../../pipeline/models/bench.ts"), await import("../../targets/inventory.ts")];
      const earlier = against === undefined ? undefined : await readRecords(against);
      if (history !== undefined) await checkHistory(history);
      const { hooks, end } = benchmarkHooks(reporter, "measuring", signal);
      const records = await benchModels(models, {
        targets: target, inventory: await findInventory(targets, { allowCode: code }), runs, seconds, hooks, ...(threads !== undefined && { threads }), ...(batch && { batches: batch }),
        ...(picture !== undefined && { picture }), ...(soak !== undefined && { soakSeconds: soak }), ...(lockClocks && { lockClocks }), ...(earlier && { against: earlier, allowUnstable }),
      }).finally(end);
      if (earlier === undefined || against === undefined) {
        if (history !== undefined) await appendHistory(history, records);
        result(records, (columns) => [tableOf(records, columns), ...records.flatMap((record) => soakLines(record, columns))].join("\n"));
        return 0;
      }
      const { compareRecords, isSameSetup, notComparable, setupOf } = await import("../../targets/compare.ts");
      const isOneFile = history !== undefined && resolve(history) === resolve(against);
      let changes: readonly Change[] = [];
      try {
        changes = compareRecords(earlier, records, limit, { allowUnstable });
      } finally {
        // a regression that joined the file it failed against would be the next run's measure
        if (history !== undefined) await appendHistory(history, records.filter((record) => !isOneFile || !changes.some((change) => change.regressed && isSameSetup(change, record))));
      }
      result({ records, changes }, (columns) => [tableOf(records, columns), ...records.flatMap((record) => soakLines(record, columns)), changeTable(changes, columns)].join("\n"));
      const missing = notComparable(earlier, records, { allowUnstable });
      for (const { record, why } of missing) reporter.warn(`${setupOf(record)} is not compared: ${why}${history === undefined ? "" : `; it is added to ${history}`}`);
      const regressions = changes.filter(({ regressed }) => regressed);
      for (const change of regressions) {
        const doubts = change.doubts.length > 0 ? ` (to be doubted: ${change.doubts.join("; ")})` : "";
        reporter.warn(`regression: ${setupOf(change)} is ${(100 * change.slower).toFixed(1)} % slower, limit ${plain(100 * limit)} %${doubts}${isOneFile ? `; not added to ${history}` : ""}`);
      }
      return regressions.length + missing.length > 0 ? 1 : 0;
    }));

const threadCount = (text: string): number | "sweep" => (text === "sweep" ? "sweep" : wholeNumber(text));

/** "10m", "30s" or "1h" in seconds. */
const duration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  const seconds = Number(match?.[1]) * { s: 1, m: 60, h: 3600 }[(match?.[2] ?? "s") as "s" | "m" | "h"];
  if (!(seconds > 0)) throw new InvalidArgumentError("give a time such as 30s, 10m or 1h.");
  return seconds;
};

const text = (head: string): TextColumn => ({ head });
const figure = (head: string): TextColumn => ({ head, align: "right" });
const recordColumns = [text("model"), text("target"), ...["threads", "batch", "p50 ms", "(95 %)", "p90", "p99", "FPS", "to boxes p50", "memory", "heat"].map(figure), text("stable")];

const tableOf = (records: readonly BenchmarkRecord[], columns: number | undefined): string => {
  const rows = records.map(({ model, target, threads, batch, inferenceMs, confidenceMs, fps, endToEndMs, memoryBytes, thermal, stable, emulated }): string[] => {
    const time = (figures: string): string => (emulated === true ? "–" : figures);
    return [
      model, target, String(threads), String(batch), time(ms(inferenceMs.p50)), confidenceMs ? time(`${ms(confidenceMs.p50[0])}–${ms(confidenceMs.p50[1])}`) : "", time(ms(inferenceMs.p90)),
      time(ms(inferenceMs.p99)), time(ms(fps)), endToEndMs ? time(ms(endToEndMs.p50)) : "", typeof memoryBytes === "number" ? bytes(memoryBytes) : "",
      typeof thermal?.maxC === "number" ? time(`${thermal.maxC.toFixed(0)} °C`) : "", stable ? "yes" : "no",
    ];
  });
  return [textTable(recordColumns, rows, columns), ...records.flatMap(recordNotes)].join("\n");
};

/** What a record says beside its figures, a line each. */
const recordNotes = ({ model, target, stable, unstableReasons = [], emulated, endToEndMs, endToEndFrom, againstHost }: BenchmarkRecord): string[] => [
  ...(stable ? [] : [`${model} on ${target} is not stable: ${unstableReasons.join("; ") || "no reason recorded"}`]),
  ...(emulated === true ? [`${model} on ${target}: an emulator's times are not shown`] : []),
  ...(endToEndMs && endToEndFrom === "pixels" ? [`${model} on ${target}: to boxes from pixels, without the picture's decoding`] : []),
  ...(againstHost ? [`${model} on ${target}: outputs ${againstHost.bitEqual ? "bit-equal to" : `within ${againstHost.maxAbsError.toPrecision(2)} of`} this machine's`] : []),
];

const changeColumns = [text("model"), text("target"), ...["threads", "batch", "p50 then", "p50 now", "slower", "p"].map(figure), text("verdict")];

const changeTable = (changes: readonly Change[], columns: number | undefined): string =>
  [textTable(changeColumns, changes.map(({ model, target, threads, batch, beforeMs, afterMs, slower, p, regressed }) =>
    [model, target, String(threads), String(batch), ms(beforeMs), ms(afterMs), `${(100 * slower).toFixed(1)} %`, p === null ? "–" : p.toPrecision(2), regressed ? "REGRESSION" : "ok"]), columns),
  ...changes.flatMap(({ model, target, doubts }) => (doubts.length > 0 ? [`${model} on ${target}: to be doubted: ${doubts.join("; ")}`] : []))].join("\n");
