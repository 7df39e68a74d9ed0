import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../graph/error.ts";
import { decideHead } from "../../../vision/index.ts";
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

test("rows of six that corners and x, y, w, h both explain: corners where an Ultralytics export's names stand beside them, else refused", () => {
  const read = (output: string, names: string) =>
    decideHead(
      { size: [64, 64], outputs: [{ name: output, shape: [1, 5, 6], type: "float32" }], metadata: new Map([["names", names]]) },
      [{ name: output, dims: [1, 5, 6], data: Float32Array.from([8, 8, 40, 40, 0.9, 0, ...new Array<number>(24).fill(0)]) }],
    );
  assert.equal(read("output0", "{0: 'thing'}").head.kind, "rows");
  for (const [output, names] of [["boxes", "{0: 'thing'}"], ["output0", "['thing']"]] as const)
    assert.throws(() => read(output, names), (error: unknown) => error instanceof UserError && error.code === "HEAD_AMBIGUOUS");
});

test("the list is long enough", () => assert.ok(layoutCases.length >= 60));

test.run();
