import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unseal, type Damage } from "../files/seal.ts";
import { UserError } from "../graph/error.ts";
import { silentReporter, type Reporter } from "./progress.ts";
import { parseRunResult, type RunResult } from "./result.ts";

/** Name of the record of a run in its folder. */
export const runFile = "run.json";

/** run.json of a folder, as compress wrote it; one without a digest (of an older version) is said. Throws UserError NOT_A_RUN and RUN_CHANGED. */
export const readRun = async (runFolder: string, reporter: Reporter = silentReporter): Promise<RunResult> => {
  const file = join(runFolder, runFile);
  const text = await readFile(file, "utf8").catch(() => "");
  const result = parseRunResult(text, file);
  const { damage } = unseal(text, runFile);
  if (damage === "has no digest (an older version wrote it)") reporter.warn(`${file} ${damage}: it is taken as it is; compress writes it anew`);
  else if (damage !== undefined) throw runChanged(file, damage);
  return result;
};

const runChanged = (file: string, damage: Damage): UserError =>
  new UserError("RUN_CHANGED", `${file} ${damage}: its figures are not those that compress wrote.`,
    "run compress with the run's config: what is finished is read back, and the file is written anew.");
