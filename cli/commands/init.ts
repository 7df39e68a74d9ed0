import { access, rm, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { terminalJson } from "../../escape/terminal.ts";
import { starterConfig } from "../../pipeline/starter-config.ts";
import { action } from "../context.ts";
import { UsageError } from "../errors.ts";
import { reasonOf } from "../../input/reason.ts";

interface Options {
  readonly schema?: boolean;
}

export const addInit = (program: Command): Command =>
  program.command("init").summary("a commented config").description("Writes a commented config to start from; never overwrites a file.").argument("[config.yaml]", "where to write it", "config.yaml")
    .option("--schema", "print the JSON Schema of configs instead, for editors")
    .addHelpText("after", `
Examples:
  edgestill init
  edgestill init road/config.yaml
  edgestill init --schema > config.schema.json`)
    .action(action<[string], Options>(async ({ result, reporter }, [path], { schema }) => {
      if (schema === true) {
        const { configJsonSchema } = await import("../../pipeline/config-schema.ts");
        process.stdout.write(`${terminalJson(configJsonSchema())}\n`);
        return 0;
      }
      if (await access(path).then(() => true, () => false)) throw new UsageError(`${path} is there already; it was left as it is.`, "give another name: edgestill init other.yaml.");
      await writeFile(path, starterConfig, { flag: "wx" }).catch(async (cause: NodeJS.ErrnoException) => {
        if (cause.syscall === "write") await rm(path, { force: true }).catch(() => undefined); // the disk filled up in the middle of it
        throw new UsageError(`Cannot write ${path}: ${reasonOf(cause, path)}.`, "check the folder and its permissions.");
      });
      result({ config: path }, () => `wrote ${path}`);
      reporter.line(`next: put your pictures and teacher.onnx where ${path} says (or change it), then run: edgestill compress ${path}`);
      return 0;
    }));
