import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import { versions } from "node:process";
import { createRequire } from "node:module";
import type { JsonObject } from "./result.ts";
import { version } from "./version.ts";

/** Versions and machine, as run.json keeps them. */
export const environmentRecord = (): JsonObject => ({
  edgestill: version, node: versions.node, onnxruntime: runtimeVersion(),
  os: `${type()} ${release()} ${arch()}`, cpu: cpus()[0]?.model.trim() ?? "unknown", cores: availableParallelism(), memoryBytes: totalmem(),
});

/** Of the installed onnxruntime-node, from its package.json. */
export const runtimeVersion = (): string => {
  const found = createRequire(import.meta.url)("onnxruntime-node/package.json") as { readonly version: string };
  return found.version;
};
