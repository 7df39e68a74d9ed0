import * as assert from "uvu/assert";
import { layoutCases } from "../detection/heads/cases.ts";
import { constantModel, objectBox, seenBy } from "../detection/heads/constant-model.ts";
import type { Kind } from "./case.ts";

/** Every layout says one person at 64 96 96 160 with .9 on a gray picture; test/detection/heads tries them too. */
export const heads: Kind = {
  title: "Heads: one person, score .90, at x 64, y 96, width 96, height 160",
  cases: layoutCases.map(({ name, model, options, gives }) => ({
    input: name,
    gives: gives === "object" ? "right" : gives,
    isSlow: true,
    run: async () => {
      const { seen } = await seenBy(constantModel(model), options);
      assert.is(seen.length, 1);
      const { box, score, className } = seen[0]!;
      box.forEach((value, i) => assert.ok(Math.abs(value - objectBox[i]!) <= 0.3, box.join(" ")));
      assert.equal([className, score.toFixed(2)], ["person", "0.90"]);
      return "that box";
    },
  })),
};
