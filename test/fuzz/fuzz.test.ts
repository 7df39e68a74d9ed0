import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCampaign } from "./campaign.ts";
import { inputAt, textOf } from "./kind.ts";
import { kindNamed, kinds } from "./kinds.ts";
import { replay } from "./keep.ts";
import { outcomeOf } from "./outcome.ts";

test("every way to end badly is seen, counted and told apart; the inputs after it still run", async () => {
  const [kind, inputs] = [kindNamed("own-faults"), 16];
  const seeds = await kind.seeds();
  const wanted = Array.from({ length: inputs }, (_, index) => textOf(inputAt(kind, seeds, 3, index)));
  const {
    tallies: [tally],
  } = await runCampaign({ kinds: [kind], seed: 3, minutes: 5, inputs, jobs: 1, hangSeconds: 4, growthBytes: 3e8 });
  const count = (...names: string[]): number => wanted.filter((name) => names.includes(name)).length;
  assert.is(tally!.inputs, inputs);
  assert.equal(tally!.outcomes, {
    accepted: count("accepted"),
    refused: count("refused"),
    crash: count("crash"),
    hang: count("hang"),
    memory: count("memory"),
    "raw error": count("raw error", "unknown code"),
    "unclean text": count("unclean text"),
    "silent change": count("silent change"),
  });
  for (const name of ["crash", "hang", "memory", "raw error", "unknown code", "unclean text", "silent change"])
    assert.ok(count(name) > 0, `the seed gives no ${name}`);
});

for (const kind of kinds)
  test(`${kind.name}: the valid seeds are accepted, and a seed gives the same inputs every time`, async () => {
    const seeds = await kind.seeds();
    const folder = await mkdtemp(join(tmpdir(), "edgestill-fuzz-test-"));
    try {
      const check = await kind.open(folder);
      for (const seed of seeds)
        assert.equal([seed.name, await outcomeOf(check, seed)], [seed.name, { is: "accepted" }]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    for (const index of [seeds.length, seeds.length + 7, 5000]) {
      const [first, again, other] = [
        inputAt(kind, seeds, 1, index),
        inputAt(kind, seeds, 1, index),
        inputAt(kind, seeds, 2, index),
      ];
      assert.equal(
        [first.name, Buffer.from(first.bytes).toString("hex")],
        [again.name, Buffer.from(again.bytes).toString("hex")],
      );
      assert.not.equal(
        [first.name, Buffer.from(first.bytes).toString("hex")],
        [other.name, Buffer.from(other.bytes).toString("hex")],
      );
    }
  });

test("a kept input is run again by its path alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-fuzz-test-"));
  try {
    await mkdir(join(folder, "own-faults"));
    const file = join(folder, "own-faults", "seed~1-2-0");
    await writeFile(file, "silent change");
    assert.equal((await replay(file)).outcome, { is: "silent change", message: "another result" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.run();
