import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Command } from "commander";
import type { Reporter } from "../../pipeline/progress.ts";
import { action } from "../context.ts";

export const addReport = (program: Command): Command =>
  program.command("report").summary("report.html of a run again, or of benchmark records").description("Renders report.html of a run folder again from its run.json, or the records that bench wrote as HTML beside their file.")
    .argument("<run dir | records>", "a folder that compress made, or a file that bench --json or --history wrote")
    .addHelpText("after", `
Examples:
  edgestill report runs/road-nano-1a2b3c4d
  edgestill bench int8.onnx --target pi5 --soak 10m --json > pi5.json && edgestill report pi5.json`)
    .action(action<[string], object>(async ({ result, reporter }, [path]) => {
      const isFile = await stat(path).then((found) => found.isFile(), () => false);
      const report = await (isFile && basename(path) !== "run.json" ? renderRecordsOf(path) : renderRun(isFile ? dirname(path) : path, reporter));
      result({ report }, () => report);
      return 0;
    }));

const renderRun = async (folder: string, reporter: Reporter): Promise<string> => (await import("../../pipeline/run.ts")).renderRun(folder, reporter);
const renderRecordsOf = async (path: string): Promise<string> => (await import("../../pipeline/models/bench.ts")).renderRecordsFile(path);
