import Table from "cli-table3";
import type { Command } from "commander";
import { benchModels } from "../../pipeline/models/bench.ts";
import { lazyTask } from "../../pipeline/progress.ts";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { bytes, ms } from "../../report/figures.ts";
import { action } from "../context.ts";
import { positive, wholeNumber } from "../values.ts";

interface Options {
  readonly target: readonly string[];
  readonly runs: number;
  readonly seconds: number;
  readonly threads?: number;
  readonly picture?: string;
}

export const addBench = (program: Command): Command =>
  program.command("bench").summary("latency and FPS").description("Latency and FPS of models on targets, measured in turns; each model in a process of its own.").argument("<model.onnx...>")
    .option("--target <name...>", "where to run", ["local"])
    .option("--runs <n>", "fewest measured runs of each model", wholeNumber, 100)
    .option("--seconds <s>", "shortest measuring time of each model", positive, 2)
    .option("--threads <n>", "threads of the runtime; default all cores", wholeNumber)
    .option("--picture <image>", "also time camera to boxes on this picture")
    .addHelpText("after", `
Examples:
  edgestill bench teacher.onnx student.onnx int8.onnx
  edgestill bench student.onnx --threads 1 --seconds 10 --picture street.jpg --json`)
    .action(action<[string[]], Options>(async ({ reporter, signal, result }, [models], { target, runs, seconds, threads, picture }) => {
      const task = lazyTask(reporter, "measuring", "round");
      const records = await benchModels(models, {
        targets: target, runs, seconds, signal, onProgress: task.update, ...(threads !== undefined && { threads }), ...(picture !== undefined && { picture }),
      }).finally(task.end);
      result(records, () => tableOf(records));
      return 0;
    }));

const tableOf = (records: readonly BenchmarkRecord[]): string => {
  const table = new Table({
    head: ["model", "target", "threads", "p50 ms", "p90", "p99", "FPS", "end to end p50", "memory", "stable"], style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "right", "right", "left"],
  });
  for (const { model, target, threads, inferenceMs, fps, endToEndMs, memoryBytes, stable, unstableReasons = [] } of records) {
    table.push([model, target, threads, ms(inferenceMs.p50), ms(inferenceMs.p90), ms(inferenceMs.p99), ms(fps), endToEndMs ? ms(endToEndMs.p50) : "–", typeof memoryBytes === "number" ? bytes(memoryBytes) : "–", stable ? "yes" : `no: ${unstableReasons.join("; ")}`]);
  }
  return table.toString();
};
