import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { inputAt, type Check, type Kind, type Seed } from "./kind.ts";
import { kindNamed } from "./kinds.ts";
import { isFault, outcomeOf, type Outcome } from "./outcome.ts";

/**
 * The process that runs inputs. It writes the number of each input to its log before it runs it and the outcome
 * afterwards, so that the one that watches knows what was running when native code ended it.
 */

export interface Batch {
  readonly kind: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** A line of the log. */
export type LogLine =
  | { readonly begins: number }
  | { readonly ended: number; readonly is: Outcome["is"]; readonly code?: string; readonly message?: string };

const [, , log, folder, growthBytes] = process.argv as unknown as [string, string, string, string, string];
const opened = new Map<
  string,
  Promise<{ readonly kind: Kind; readonly seeds: readonly Seed[]; readonly check: Check }>
>();

const open = async (name: string) => {
  const kind = kindNamed(name);
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return { kind, seeds: await kind.seeds(), check: await kind.open(own) };
};

const say = (line: LogLine): void => appendFileSync(log, `${JSON.stringify(line)}\n`);

const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

const runBatch = async ({ kind: name, seed, from, to }: Batch): Promise<void> => {
  if (!opened.has(name)) opened.set(name, open(name));
  const { kind, seeds, check } = await opened.get(name)!;
  for (let index = from; index < to; index++) {
    say({ begins: index });
    const before = peakBytes();
    const input = inputAt(kind, seeds, seed, index);
    let outcome = await outcomeOf(check, input);
    const grown = peakBytes() - before;
    if (!isFault(outcome) && grown > Number(growthBytes))
      outcome = { is: "memory", message: `${(grown / 2 ** 20).toFixed(0)} MiB more` };
    if (index < seeds.length && outcome.is === "refused")
      outcome = { is: "silent change", message: `the valid seed ${input.name} is refused: ${outcome.code}` };
    const { is, code, message } = outcome;
    say({ ended: index, is, ...(code !== undefined && { code }), ...(message !== undefined && { message }) });
  }
};

// What fails outside of any await would be a crash of the product as well: it ends the process, which the watcher sees.
process.on("message", (batch: Batch) => {
  void runBatch(batch).then(() => process.send!({ done: true, peakBytes: peakBytes() }));
});
process.on("disconnect", () => process.exit(0));
