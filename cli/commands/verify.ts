import type { Command } from "commander";
import { verifyBundleFolder } from "../../pipeline/bundle/run.ts";
import { bytes } from "../../report/figures.ts";
import { action } from "../context.ts";

interface Options {
  readonly key?: string;
  readonly run: boolean;
}

export const addVerify = (program: Command): Command =>
  program.command("verify").summary("checks a bundle: hashes, signature, schema, golden vectors")
    .description("Checks that a bundle is whole and unchanged, who signed it, and that this machine computes what it states. Exit code 1 with the first difference.")
    .argument("<bundle>", "a folder that `edgestill bundle` made")
    .option("--key <key.pub.pem>", "public ed25519 key that must have signed it")
    .option("--no-run", "do not run the models on the golden vectors")
    .addHelpText("after", `
Examples:
  edgestill verify road-nano-1a2b3c4d
  edgestill verify road-nano-1a2b3c4d --key key.pub.pem --no-run`)
    .action(action<[string], Options>(async ({ signal, result }, [bundle], options) => {
      const verification = await verifyBundleFolder(bundle, { ...options, signal });
      result(verification, () => {
        const { name, files, bytes: total, signature, golden } = verification;
        return `${name}: ${files} files, ${bytes(total)}, signature ${signature}${golden ? `, ${golden.pictures} golden pictures, ${golden.runs} model runs agree` : ", models not run"}`;
      });
      return 0;
    }));
