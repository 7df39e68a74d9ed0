import { availableParallelism, tmpdir } from "node:os";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "./kind.ts";
import { faults, isFault, isOfProcess, signatureOf, type Outcome } from "./outcome.ts";
import { Watched, type Ended } from "./pool.ts";

export interface CampaignOptions {
  readonly kinds: readonly Kind[];
  readonly seed: number;
  /** The campaign ends when this time is over, or this many inputs have run, whichever comes first. */
  readonly minutes: number;
  readonly inputs: number;
  readonly jobs?: number | undefined;
  readonly hangSeconds?: number;
  readonly memoryBytes?: number;
  readonly growthBytes?: number;
  readonly onProgress?: (tallies: ReadonlyMap<string, Tally>, seconds: number) => void;
}

/** A class of faults of one kind: the first inputs that showed it, and how many did. */
export interface FaultClass {
  readonly outcome: Outcome;
  readonly indexes: number[];
  count: number;
}

export interface Tally {
  readonly kind: Kind;
  inputs: number;
  /** Inputs by outcome. */
  readonly outcomes: Record<Outcome["is"], number>;
  /** Refusals by code. */
  readonly codes: Map<string, number>;
  readonly classes: Map<string, FaultClass>;
}

const emptyTally = (kind: Kind): Tally => ({
  kind,
  inputs: 0,
  codes: new Map(),
  classes: new Map(),
  outcomes: {
    accepted: 0,
    refused: 0,
    ...(Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<(typeof faults)[number], number>),
  },
});

/** Inputs that are named for each class of faults. */
const namedInputs = 3;

export const countIn = (tally: Tally, ended: readonly Ended[]): void => {
  for (const { index, outcome } of ended) {
    tally.inputs++;
    tally.outcomes[outcome.is]++;
    if (outcome.is === "refused") tally.codes.set(outcome.code!, (tally.codes.get(outcome.code!) ?? 0) + 1);
    if (!isFault(outcome)) continue;
    const signature = signatureOf(outcome);
    const known = tally.classes.get(signature) ?? { outcome, indexes: [], count: 0 };
    known.count++;
    if (known.indexes.length < namedInputs || isOfProcess(outcome)) known.indexes.push(index);
    tally.classes.set(signature, known);
  }
};

interface Part {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
}

/**
 * Rounds of every kind's share, in order, without end or up to `inputs` in all. Which inputs come does not depend on
 * the time.
 */
function* partsOf(kinds: readonly Kind[], inputs: number): Generator<Part> {
  const at = new Map(kinds.map((kind) => [kind, 0]));
  for (let left = inputs; left > 0;)
    for (const kind of kinds) {
      const from = at.get(kind)!;
      const count = Math.min(kind.share, left);
      if (count === 0) return;
      at.set(kind, from + count);
      left -= count;
      yield { kind, from, to: from + count };
    }
}

export interface Campaign {
  readonly tallies: readonly Tally[];
  readonly seconds: number;
  readonly peakBytes: number;
}

export const runCampaign = async (options: CampaignOptions): Promise<Campaign> => {
  const {
    kinds,
    seed,
    minutes,
    inputs,
    jobs = Math.min(4, availableParallelism()),
    hangSeconds = 30,
    memoryBytes = 3 * 2 ** 30,
    growthBytes = 1.5 * 2 ** 30,
    onProgress,
  } = options;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const tallies = new Map(kinds.map((kind) => [kind.name, emptyTally(kind)]));
  const parts = partsOf(kinds, inputs);
  const workers = Array.from(
    { length: jobs },
    () =>
      new Watched({ hangSeconds, memoryBytes, growthBytes, folder: mkdtempSync(join(tmpdir(), "edgestill-fuzz-")) }),
  );
  const report = setInterval(() => onProgress?.(tallies, seconds()), 15_000);
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (const { kind, from, to } of parts) {
          if (seconds() > 60 * minutes) break;
          countIn(tallies.get(kind.name)!, await worker.run({ kind: kind.name, seed, from, to }));
        }
      }),
    );
    return {
      tallies: [...tallies.values()],
      seconds: seconds(),
      peakBytes: Math.max(...workers.map(({ peakBytes }) => peakBytes)),
    };
  } finally {
    clearInterval(report);
    for (const worker of workers) worker.close();
  }
};
