import type { Command } from "commander";
import { action } from "../context.ts";

export const addReport = (program: Command): Command =>
  program.command("report").summary("report.html of a run again").description("Renders report.html of a run folder again from its run.json.").argument("<run dir>", "a folder that compress made")
    .addHelpText("after", `
Example:
  edgestill report runs/road-nano-1a2b3c4d`)
    .action(action<[string], object>(async ({ result }, [folder]) => {
      const { renderRun } = await import("../../pipeline/run.ts");
      const report = await renderRun(folder);
      result({ report }, () => report);
      return 0;
    }));
