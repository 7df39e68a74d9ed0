import { test } from "uvu";
import * as assert from "uvu/assert";
import { latencyOf, unstableReasons } from "../../targets/statistics.ts";

const calm = { governor: "performance", busyCores: 0.1, cores: 2 };
const steady = latencyOf(Array.from({ length: 100 }, (_, i) => 10 + (i % 10) / 100));

test("quantiles of known samples", () => {
  const { p50, p99, min, max, mean } = latencyOf(Array.from({ length: 101 }, (_, i) => i));
  assert.equal([p50, p99, min, max, mean], [50, 99, 0, 100, 50]);
});

test("steady samples on a quiet machine are stable", () => assert.equal(unstableReasons({ latency: steady, roundMediansMs: [10, 10.1], ...calm }), []));

test("what the system does not say, and a core of many, is no other work", () => {
  assert.equal(unstableReasons({ latency: steady, roundMediansMs: [10, 10], ...calm, busyCores: null }), []);
  assert.equal(unstableReasons({ latency: steady, roundMediansMs: [10, 10], ...calm, busyCores: 1, cores: 64 }), []);
});

for (const [what, question, words] of [
  ["a wide spread", { latency: latencyOf([...Array.from({ length: 80 }, () => 10), ...Array.from({ length: 20 }, () => 20)]), roundMediansMs: [10, 10], ...calm }, "spread"],
  ["drifting rounds", { latency: steady, roundMediansMs: [10, 12], ...calm }, "rounds differ by 20 %"],
  ["an unlocked clock", { latency: steady, roundMediansMs: [10, 10], ...calm, governor: "powersave" }, "governor powersave"],
  ["other work", { latency: steady, roundMediansMs: [10, 10], ...calm, busyCores: 1 }, "1.0 of 2 cores were busy"],
  ["a busy core of four", { latency: steady, roundMediansMs: [10, 10], ...calm, busyCores: 1, cores: 4 }, "1.0 of 4 cores were busy"],
] as const) test(`${what} is not stable, and says why`, () => assert.match(unstableReasons(question).join(), words));

test.run();
