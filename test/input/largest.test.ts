import { test } from "uvu";
import * as assert from "uvu/assert";
import { largest, smallest } from "../../input/largest.ts";

test("the largest and smallest of lists of any length, as Math.max and Math.min have them", () => {
  const many = Float64Array.from({ length: 1_000_000 }, (_, at) => (at * 7919) % 1_000_003);
  assert.throws(() => Math.max(...many), (error: unknown) => error instanceof RangeError);
  assert.equal([largest(many), smallest(many)], [many.toSorted().at(-1), 0]);
  for (const values of [[], [3], [-1, -2], [1, NaN, 2]]) assert.equal([largest(values), smallest(values)], [Math.max(...values), Math.min(...values)]);
});

test.run();
