import { relative } from "node:path";
import type { Command } from "commander";
import type { BundleConfig } from "../../pipeline/config-schema.ts";
import { bytes } from "../../report/figures.ts";
import { action } from "../context.ts";
import { failedRequirement } from "../requirements.ts";
import { addNoCode, type TrustOptions } from "../no-code.ts";
import { UsageError } from "../errors.ts";
import { list } from "../values.ts";

interface Options extends TrustOptions {
  readonly variant?: string;
  readonly formats?: readonly string[];
  readonly out?: string;
  readonly sign?: string;
  readonly config?: string;
  readonly archive: boolean;
  readonly allowFailedRequirements?: boolean;
}

const formats = ["cpp", "autoware", "deepstream"] as const satisfies BundleConfig["formats"];

export const addBundle = (program: Command): Command =>
  addNoCode(program.command("bundle")).summary("what is handed to an integrator, with evidence")
    .description("Makes <name>-<short hash>/ of a finished run: models, C++ library, Autoware and DeepStream packages, golden vectors, evidence, manifest, SBOM. The same run gives the same bytes. Exit code 1 where a requirement of the config is not met: the bundle is written, its evidence says so.")
    .argument("<run dir>", "a folder that compress made")
    .option("--variant <name>", "float variant to ship, with its int8 files; default the last one")
    .option("--formats <a,b,…>", `what to plug into (${formats.join(", ")}); default as the config says, else all`, list)
    .option("-o, --out <dir>", "folder that gets the bundle; default <run dir>/bundles")
    .option("--sign <key.pem>", "private ed25519 key that signs the checksums")
    .option("--config <config.yaml>", "the run's config, for its data sets, where it was moved")
    .option("--no-archive", "no .tar beside the folder")
    .option("--allow-failed-requirements", "exit code 0 though a requirement is not met")
    .addHelpText("after", `
Examples:
  edgestill bundle runs/road-nano-1a2b3c4d
  edgestill bundle runs/road-nano-1a2b3c4d --formats cpp,autoware -o out --sign key.pem
  openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out key.pub.pem`)
    .action(action<[string], Options>(async ({ reporter, signal, result }, [run], { formats: wanted, archive, allowFailedRequirements = false, code, ...options }) => {
      const unknown = wanted?.find((name) => !formats.some((known) => known === name));
      if (unknown !== undefined) throw new UsageError(`There is no bundle format "${unknown}".`, `use some of ${formats.join(", ")}.`);
      const { bundleRun } = await import("../../pipeline/bundle/run.ts");
      const { manifest, ...written } = await bundleRun(run, { ...options, reporter, signal, allowCode: code, ...(!archive && { archive }), ...(wanted && { formats: wanted as BundleConfig["formats"] }) });
      const failed = manifest.requirements.filter(({ passed }) => !passed);
      for (const row of failed) reporter.warn(failedRequirement(row));
      result({ ...written, name: manifest.name, formats: manifest.formats, signed: manifest.signature !== null, requirements: manifest.requirements }, () =>
        [written.folder, written.archive].filter((path) => path !== null).map((path) => relative(process.cwd(), path) || path)
          .concat(`${manifest.models.length} models, ${manifest.formats.join(", ")}, ${bytes(written.bytes)}${manifest.signature ? `, signed by ${manifest.signature.keyId.slice(0, 16)}…` : ", not signed"}`).join("\n"));
      return failed.length > 0 && !allowFailedRequirements ? 1 : 0;
    }));
