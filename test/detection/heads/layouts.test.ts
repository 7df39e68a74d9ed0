import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../graph/error.ts";
import { layoutCases } from "./cases.ts";
import { constantModel, objectBox, seenBy } from "./constant-model.ts";

const near = (values: readonly number[], expected: readonly number[], tolerance: number): boolean =>
  values.every((value, i) => Math.abs(value - expected[i]!) <= tolerance);

for (const { name, model, options, gives } of layoutCases) {
  test(`${name}: ${gives === "object" ? "exactly the object" : gives}`, async () => {
    const outcome = await seenBy(constantModel(model), options).catch((error: unknown) => error);
    if (gives !== "object") {
      assert.ok(outcome instanceof UserError, `not refused: ${JSON.stringify(outcome)}`);
      assert.is(outcome.code, gives, `${outcome.code}: ${outcome.message} ${outcome.nextStep}`);
      return;
    }
    if (outcome instanceof Error) throw outcome;
    const { seen } = outcome as Awaited<ReturnType<typeof seenBy>>;
    assert.is(seen.length, 1, JSON.stringify(seen));
    assert.ok(near(seen[0]!.box, objectBox, 0.3), JSON.stringify(seen));
    assert.ok(Math.abs(seen[0]!.score - 0.9) < 0.002, JSON.stringify(seen));
    assert.is(seen[0]!.className, "person");
  });
}

test("the list is long enough", () => assert.ok(layoutCases.length >= 60));

test.run();
