import { relative } from "node:path";
import type { Command } from "commander";
import { stageNames, type StageName } from "../../pipeline/stage.ts";
import { choosingText, lossText } from "../../report/summary.ts";
import { action } from "../context.ts";
import { failedGate, failedRequirement, unmetRequirements } from "../requirements.ts";
import { addNoCode, type TrustOptions } from "../no-code.ts";
import { Coloured, printable } from "../terminal-text.ts";
import { stabilityNote, variantTable } from "../table.ts";

interface Options extends TrustOptions {
  readonly runs: string;
  readonly until?: StageName;
  readonly fresh?: boolean;
  readonly without?: readonly string[];
}

export const addCompress = (program: Command): Command =>
  addNoCode(program.command("compress"))
    .summary("the whole job from one config: distill, prune, quantize, evaluate, benchmark, report")
    .description("The whole job: distill, prune, quantize, evaluate, benchmark and report. What is finished is reused; what was interrupted goes on.")
    .argument("<config.yaml>", "config of the run (make one with `edgestill init`)")
    .option("--runs <dir>", "folder that gets a folder per run", "runs")
    .option("--until <stage>", `last stage to run (${stageNames.join(", ")})`)
    .option("--fresh", "do all stages and trainings again")
    .option("--without <target...>", "targets of the config that are not measured this time")
    .addHelpText("after", `
Examples:
  edgestill compress config.yaml                     # everything
  edgestill compress config.yaml --until distill     # train the student only
  edgestill compress config.yaml --without pi5       # the device is off: later
  edgestill compress config.yaml --json > run.json   # the run as JSON`)
    .action(action<[string], Options>(async ({ reporter, signal, result }, [config], { runs, until, fresh, without, code }) => {
      const { compress } = await import("../../pipeline/run.ts");
      const run = await compress(config, { runs, reporter, signal, allowCode: code, ...(until !== undefined && { until }), ...(fresh !== undefined && { fresh }), ...(without && { without }) });
      const losses = run.result.losses ?? [];
      const failed = run.result.gates.filter(({ passed }) => !passed);
      result(run.result, (columns) => {
        const notes = [choosingText(run.result) ?? "", stabilityNote(run.result), `report: ${relative(process.cwd(), run.reportPath) || run.reportPath}`].filter((line) => line !== "");
        return new Coloured([variantTable(run.result, columns), ...notes.map(printable)].join("\n"));
      });
      for (const { name, limit, value } of failed) reporter.warn(failedGate(name, limit, value));
      for (const loss of losses) reporter.warn(`${lossText(loss)}: look at the curves in the report; a lower learning rate, more epochs or a milder cut helps, allowedDrop in the config accepts it`);
      const { gates = {} } = run.result.config as { readonly gates?: Readonly<Record<string, number>> };
      if (until !== undefined && run.result.gates.length === 0 && Object.keys(gates).length > 0) reporter.line(`note: the gates are not judged, since the run ends with ${until}: ${Object.keys(gates).join(", ")}`);
      const unmet = unmetRequirements(run.result);
      for (const row of unmet) reporter.warn(failedRequirement(row));
      return failed.length + unmet.length + losses.length > 0 ? 1 : 0;
    }));
