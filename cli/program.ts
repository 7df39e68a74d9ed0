import { Command } from "commander";
import { version } from "../pipeline/version.ts";
import { addBench } from "./commands/bench.ts";
import { addBundle } from "./commands/bundle.ts";
import { addCompress } from "./commands/compress.ts";
import { addEval } from "./commands/eval.ts";
import { addGrad } from "./commands/grad.ts";
import { addInit } from "./commands/init.ts";
import { addInspect } from "./commands/inspect.ts";
import { addPredict } from "./commands/predict.ts";
import { addPrune } from "./commands/prune.ts";
import { addQuantize } from "./commands/quantize.ts";
import { addReport } from "./commands/report.ts";
import { addTargets } from "./commands/targets.ts";
import { addVerify } from "./commands/verify.ts";
import { positive } from "./values.ts";
import { helpConfiguration, helpOutput } from "./help.ts";

const commands = [addCompress, addEval, addPredict, addInspect, addGrad, addPrune, addQuantize, addBench, addBundle, addVerify, addTargets, addReport, addInit];

const takesModels: ReadonlySet<string> = new Set(["compress", "eval", "predict", "inspect", "grad", "prune", "quantize", "bench"]);

/** The command line: every command with its options and examples. */
export const createProgram = (): Command => {
  const program = new Command("edgestill")
    .description("Turns a YOLO-class detector into the smallest, fastest model that an edge device can run.")
    .version(version)
    .configureHelp(helpConfiguration)
    .configureOutput(helpOutput)
    .addHelpText("after", "\nStart with `edgestill init`, then `edgestill compress config.yaml`. Exit codes: 0 done, 1 the work failed, 2 wrong use, 130 stopped.");
  for (const add of commands) add(program);
  for (const command of program.commands.filter((each) => takesModels.has(each.name()))) {
    command.option("--max-memory <GiB>", "memory that a model's tensors may need (default: 4)", positive);
  }
  program.hook("preAction", async (_, command) => {
    const { maxMemory } = command.opts<{ readonly maxMemory?: number }>();
    if (maxMemory !== undefined) (await import("../graph/budget.ts")).setMemoryBudget(maxMemory * 2 ** 30);
  });
  for (const command of [program, ...program.commands]) {
    command.option("--json", "print the result as JSON, alone on stdout").option("--verbose", "print stack traces with errors");
    command.showHelpAfterError("(edgestill <command> --help shows arguments, options and examples)").exitOverride();
  }
  return program;
};
