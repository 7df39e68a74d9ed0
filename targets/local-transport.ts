import { UserError } from "../graph/error.ts";
import { transportOver } from "./connect.ts";
import type { Transport } from "./transport.ts";

/** This machine as a device: the same commands without ssh. `env` adds variables, e.g. XDG_CACHE_HOME, TMPDIR and PATH for tests. */
export const localTransport = (env: Readonly<Record<string, string>> = {}): Transport =>
  transportOver({
    label: "this machine",
    command: (argv) => ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv],
    explain: (exitCode, stderr) => new UserError("CONNECTION_LOST", `A command ended without its report (exit code ${exitCode ?? "none"}): ${stderr.trim()}.`, "run it again."),
    close: () => Promise.resolve(),
  });
