import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { parseGoldenIndex } from "../../bundle/golden/index-file.ts";

const lines = [
  "edgestill-golden 1", "thresholds 0.25 0.45 300 0", "picture p0 64 48 golden/p0.rgb", "letterbox golden/p0.letterbox", "tensor 0123",
  "output float 0.0001 golden/p0.f32", "boxes float 1 0.001", "box 1 2 3 4 0.9 1",
];

test("golden/index.txt is read", () => assert.is(parseGoldenIndex(lines.join("\n")).pictures[0]!.outputs[0]!.boxes.length, 1));

for (const [line, from] of [[2, "300"], [3, "48"], [6, "0.0001"], [7, "0.001"], [8, "0.9"]] as const)
  for (const to of ["x", "NaN", "Infinity", ""])
    test(`"${to}" instead of the number ${from} is refused: a tolerance that is no number would hold for every difference`, () => {
      const changed = lines.map((text, at) => (at === line - 1 ? text.replace(from, to) : text)).join("\n");
      assert.throws(() => parseGoldenIndex(changed), (error: unknown) => error instanceof UserError && error.code === "GOLDEN_INDEX" && error.message.includes(`:${line} `));
    });

test.run();
