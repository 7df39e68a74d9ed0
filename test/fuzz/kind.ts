import { randomFrom, type Random } from "./random.ts";

/** Something valid that mutations start from; of several files of one kind the name tells which it is. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is run: the bytes, and the name of the seed that they were made from. */
export type Input = Seed;

/** Runs an input through the product. Throws `Broken` where a result is wrong; whatever else it throws is judged. */
export type Check = (input: Input) => Promise<void>;

/** One kind of input: a row of the table in kinds.ts. */
export interface Kind {
  readonly name: string;
  /** What is mutated and what runs, for docs/reliability.md. */
  readonly about: string;
  /** Inputs in each round. */
  readonly share: number;
  seeds(): readonly Seed[] | Promise<readonly Seed[]>;
  mutate(seed: Seed, random: Random): Uint8Array;
  /** Called once in a process; `folder` is empty and its own. */
  open(folder: string): Check | Promise<Check>;
  /** The command line that does the same with a file: what a user sees where native code ends the process. */
  command?(file: string, seed: string, out: string): readonly string[];
}

/** A result that is wrong without an error: the worst that can be found. */
export class Broken extends Error {}

export const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Broken(what);
};

/** The input of a place in the row that a seed gives: the same always. The first ones are the seeds as they are. */
export const inputAt = (kind: Kind, seeds: readonly Seed[], seed: number, index: number): Input => {
  const asIs = seeds[index];
  if (asIs) return asIs;
  const random = randomFrom(hashOf(`${kind.name}/${seed}/${index}`));
  const from = seeds[Math.floor(random() * seeds.length)]!;
  return { name: from.name, bytes: kind.mutate(from, random) };
};

/** FNV-1a, 32 bits. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
};

export const textSeed = (name: string, text: string): Seed => ({ name, bytes: new TextEncoder().encode(text) });
export const textOf = ({ bytes }: Input): string => new TextDecoder().decode(bytes);
