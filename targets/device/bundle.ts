import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../graph/error.ts";

/** Beside this file in the built package, made by `npm run build`. */
const builtRunner = fileURLToPath(new URL("./runner.mjs", import.meta.url));

/** The runner as one plain JavaScript file that needs only onnxruntime-node: its path in the built package; in a checkout it is made at `scratch`. */
export const runnerFile = async (scratch: string): Promise<string> => {
  if (import.meta.url.endsWith(".js")) {
    if (!existsSync(builtRunner)) throw runnerMissing();
    return builtRunner;
  }
  await bundleRunner(scratch);
  return scratch;
};

/** Bundles runner.ts with esbuild: our own code and what it imports, for any Node from 18. */
export const bundleRunner = async (outputPath: string): Promise<void> => {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./runner.ts", import.meta.url))], bundle: true, platform: "node", format: "esm", target: "node18", external: ["onnxruntime-node"],
    write: false, minifySyntax: true, minifyWhitespace: true, legalComments: "inline", logLevel: "silent",
  });
  await mkdir(dirname(outputPath), { recursive: true });
  await writeFile(outputPath, outputFiles[0]!.contents);
};

const runnerMissing = (): UserError => new UserError("RUNNER_MISSING", `The runner for devices is not in this installation (${builtRunner}).`, "install Edgestill again.");
