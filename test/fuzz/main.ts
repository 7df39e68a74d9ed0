import { Command } from "commander";
import { resolve } from "node:path";
import { runCampaign, type Campaign, type FaultClass, type Tally } from "./campaign.ts";
import { asCommand, keepFaults, replay, seedOf } from "./keep.ts";
import { kindNamed, kinds } from "./kinds.ts";
import { isFault, isOfProcess } from "./outcome.ts";
import { asJson, faultsOf, tableMarkdown, tableText } from "./report.ts";

/**
 * The command behind `npm run fuzz`: hostile inputs through the real code, counted by how they end. Exit code 1 where
 * any ends badly.
 */

interface Options {
  readonly minutes?: string;
  readonly inputs?: string;
  readonly seed: string;
  readonly kind?: readonly string[];
  readonly jobs?: string;
  readonly keep: string;
  readonly replay?: string;
  readonly runs?: string | true;
  readonly built?: boolean;
  readonly coverage?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

const program = new Command("fuzz")
  .description("Mutated models, pictures, labels, configs, bundles, device answers and records through the real code.")
  .option("--minutes <n>", "time; with --inputs without limit, else 2")
  .option("--inputs <n>", "number of inputs")
  .option("--seed <n>", "the same seed gives the same inputs", "1")
  .option("--kind <name...>", `only these: ${kinds.map(({ name }) => name).join(", ")}`)
  .option("--jobs <n>", "processes at a time; default one for each core, at most 4")
  .option("--keep <dir>", "folder that gets the inputs that ended badly", ".fuzz")
  .option("--replay <file>", "one kept input again")
  .option(
    "--runs [kills,full,damages]",
    "instead: kill, fill the disk of and damage a tiny compress, and go on with it; default 50,10,20",
  )
  .option("--built", "with --runs: the built package (`npm run build`) instead of the source")
  .option("--coverage", "instead: the parsers, guided by V8's coverage")
  .option("--json", "the result as JSON")
  .option("--markdown", "the table as docs/reliability.md has it");

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const replayed = async (file: string): Promise<boolean> => {
  const { outcome, kind, seed } = await replay(resolve(file));
  print(
    `${kind.name}, from ${seed}: ${outcome.is}${outcome.code === undefined ? "" : ` ${outcome.code}`}${outcome.message === undefined ? "" : `\n${outcome.message}`}`,
  );
  return !isFault(outcome);
};

/**
 * What ended a process is tried on the command line, which watches native code: told as an error there, it is a
 * refusal.
 */
const judgeByCommand = async (tally: Tally, found: FaultClass, files: readonly string[]): Promise<string[]> => {
  if (!isOfProcess(found.outcome) || !tally.kind.command) return [...files];
  const left: string[] = [];
  for (const file of files) {
    const told = await asCommand(tally.kind, resolve(file), seedOf(file));
    if (!told?.isTold) left.push(file);
  }
  const told = files.length - left.length;
  tally.outcomes[found.outcome.is] -= told;
  tally.outcomes.refused += told;
  found.count -= told;
  if (told > 0)
    note(
      `${tally.kind.name}: ${told} x ${found.outcome.is} of a process that calls the API, told as an error by the command line`,
    );
  return left;
};

/** Keeps what ended badly, and says which files show it. */
const keepAll = async (tally: Tally, options: Options): Promise<void> => {
  for (const [signature, found] of tally.classes) {
    const files = await judgeByCommand(
      tally,
      found,
      await keepFaults(options.keep, tally, found, Number(options.seed)),
    );
    if (found.count === 0) tally.classes.delete(signature);
    else note(`\n${tally.kind.name}: ${found.count} x ${signature}\n  ${files.slice(0, 3).join("\n  ")}`);
  }
};

const campaign = async (options: Options): Promise<boolean> => {
  const inputs = options.inputs === undefined ? Infinity : Number(options.inputs);
  const result: Campaign = await runCampaign({
    kinds: options.kind ? options.kind.map(kindNamed) : kinds,
    seed: Number(options.seed),
    inputs,
    minutes: options.minutes !== undefined ? Number(options.minutes) : inputs === Infinity ? 2 : Infinity,
    jobs: options.jobs === undefined ? undefined : Number(options.jobs),
    onProgress: (tallies, seconds) => {
      const all = [...tallies.values()];
      const bad = all.reduce((sum, tally) => sum + faultsOf(tally), 0);
      note(`${seconds.toFixed(0)} s: ${all.reduce((sum, tally) => sum + tally.inputs, 0)} inputs, ${bad} ended badly`);
    },
  });
  for (const tally of result.tallies) await keepAll(tally, options);
  print(
    options.json
      ? JSON.stringify(asJson(result), null, 2)
      : options.markdown
        ? tableMarkdown(result)
        : tableText(result),
  );
  const bad = result.tallies.reduce((sum, tally) => sum + faultsOf(tally), 0);
  const count = result.tallies.reduce((sum, { inputs: n }) => sum + n, 0);
  note(
    `${count} inputs in ${result.seconds.toFixed(0)} s, largest process ${(result.peakBytes / 2 ** 20).toFixed(0)} MiB, ${bad} ended badly${bad > 0 ? ` (kept in ${options.keep}; again: npm run fuzz -- --replay <file>)` : ""}`,
  );
  return bad === 0;
};

const countsOf = (given: string | true) => {
  const [kills = 50, full = 10, damages = 20] = given === true ? [] : given.split(",").map(Number);
  return { kills, full, damages };
};

const options = program.parse().opts<Options>();
const isRight =
  options.replay !== undefined
    ? await replayed(options.replay)
    : options.runs
      ? await (
          await import("./runs.ts")
        ).runInterruptions({
          seed: Number(options.seed),
          built: options.built ?? false,
          counts: countsOf(options.runs),
          json: options.json === true,
          markdown: options.markdown === true,
          print,
          note,
        })
      : options.coverage
        ? await (
            await import("./coverage.ts")
          ).runCoverage({
            kinds: options.kind?.map(kindNamed),
            seed: Number(options.seed),
            minutes: Number(options.minutes ?? 2),
            keep: options.keep,
            note,
            print,
          })
        : await campaign(options);
process.exit(isRight ? 0 : 1);
