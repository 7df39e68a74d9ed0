import type { Command } from "commander";
import { bytes } from "../../report/figures.ts";
import { action } from "../context.ts";
import { addNoCode, type TrustOptions } from "../no-code.ts";
import { UsageError } from "../errors.ts";

interface Options extends TrustOptions {
  readonly key?: string;
  readonly run: boolean;
  readonly target?: string;
  readonly targets?: string;
}

export const addVerify = (program: Command): Command =>
  addNoCode(program.command("verify")).summary("checks a bundle: hashes, signature, schema, golden vectors")
    .description("Checks that a bundle is whole and unchanged, who signed it, and that this machine, or a device, computes what it states. Exit code 1 with the first difference.")
    .argument("<bundle>", "a folder or .tar that `edgestill bundle` made")
    .option("--key <key.pub.pem>", "public ed25519 key that must have signed it")
    .option("--no-run", "do not run the models on the golden vectors")
    .option("--target <name>", "device that runs the models: local, a name of targets.yaml, or user@host")
    .option("--targets <file>", "inventory of devices; default targets.yaml here")
    .addHelpText("after", `
Examples:
  edgestill verify road-nano-1a2b3c4d
  edgestill verify road-nano-1a2b3c4d.tar --key key.pub.pem --no-run
  edgestill verify road-nano-1a2b3c4d --target pi@pi5.local`)
    .action(action<[string], Options>(async ({ reporter, signal, result }, [bundle], { key, run, target, targets, code }) => {
      if (target !== undefined && !run) throw new UsageError("--target runs the models there, --no-run does not run them.", "leave one of the two out.");
      const { verifyBundleFolder } = await import("../../pipeline/bundle/verify.ts");
      const verification = await verifyBundleFolder(bundle, { run, signal, reporter, allowCode: code, ...(key !== undefined && { key }), ...(target !== undefined && { target }), ...(targets !== undefined && { targets }) });
      result(verification, () => {
        const { name, files, bytes: total, signature, golden } = verification;
        const skipped = golden && golden.skipped.length > 0 ? `; ${golden.skipped.join(", ")} not run there` : "";
        return `${name}: ${files} files, ${bytes(total)}, signature ${signature}${golden ? `, ${golden.pictures} golden pictures, ${golden.runs} model runs agree on ${golden.machine}${skipped}` : ", models not run"}`;
      });
      return 0;
    }));
