import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Session, type Profiler } from "node:inspector/promises";
import { join } from "node:path";
import { hashOf, type Input } from "./kind.ts";
import { kindNamed } from "./kinds.ts";
import { isFault, outcomeOf, signatureOf } from "./outcome.ts";
import { pick, randomFrom } from "./random.ts";

/**
 * One kind for a time, guided by V8's own block coverage: an input that runs a block that no input ran before, or ran
 * much more often, is kept and
 * mutated further. Says what it found as JSON lines.
 */

const [, , kindName, seed, seconds, folder] = process.argv as unknown as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const root = `file://${join(import.meta.dirname, "..", "..")}/`;

/** Blocks of the product with the power of two of how often they ran. */
const featuresOf = (scripts: readonly Profiler.ScriptCoverage[]): number[] => {
  const found: number[] = [];
  for (const { url, functions } of scripts) {
    if (!url.startsWith(root) || url.includes("/node_modules/") || url.includes("/test/")) continue;
    const script = hashOf(url);
    for (const { ranges } of functions)
      for (const { startOffset, endOffset, count } of ranges)
        if (count > 0)
          found.push(
            Math.imul(Math.imul(script ^ startOffset, 0x01000193) ^ endOffset, 0x01000193) ^ (31 - Math.clz32(count)),
          );
  }
  return found;
};

const kind = kindNamed(kindName);
await mkdir(folder, { recursive: true });
const check = await kind.open(folder);
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

const seen = new Set<number>();
const corpus: Input[] = [];
const faults = new Map<string, { count: number; file: string }>();
const random = randomFrom(hashOf(`coverage/${kindName}/${seed}`));
const until = performance.now() + 1000 * Number(seconds);
let inputs = 0;

const run = async (input: Input): Promise<void> => {
  inputs++;
  writeFileSync(`${folder}.current`, input.bytes);
  writeFileSync(`${folder}.current.name`, input.name);
  const outcome = await outcomeOf(check, input);
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const before = seen.size;
  for (const feature of featuresOf(result)) seen.add(feature);
  if (seen.size > before) corpus.push(input);
  if (!isFault(outcome)) return;
  const signature = signatureOf(outcome);
  const known = faults.get(signature);
  if (known) known.count++;
  else {
    const file = `${folder}.fault-${faults.size}`;
    writeFileSync(file, input.bytes);
    faults.set(signature, { count: 1, file });
    process.send!({ fault: { name: input.name, file, outcome } });
  }
};

for (const input of await kind.seeds()) await run(input);
const [blocksOfSeeds, seeds] = [seen.size, [...(await kind.seeds())]];
while (performance.now() < until) {
  const from = random() < 0.2 || corpus.length === 0 ? pick(random, seeds) : pick(random, corpus);
  await run({ name: from.name, bytes: mutated(from) });
}
process.send!({ done: { inputs, corpus: corpus.length, blocksOfSeeds, blocks: seen.size } }, () => process.exit(0));

/**
 * What coverage keeps need not be what a mutator can read (broken protobuf, JSON): then bytes of a seed are changed.
 */
function mutated(from: Input): Uint8Array {
  try {
    return kind.mutate(from, random);
  } catch {
    return kind.mutate(
      seeds.find(({ name }) => name === from.name)!,
      random,
    );
  }
}
