import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { parseRunResult, stageReport } from "../../pipeline/result.ts";

const text = readFileSync(new URL("../fixtures/report/run.json", import.meta.url), "utf8");

/** The message of the refusal. */
function refused(json: string): string {
  try {
    parseRunResult(json, "runs/a/run.json");
  } catch (error) {
    if (error instanceof UserError && error.code === "NOT_A_RUN") return error.message;
    throw error;
  }
  throw new Error("bug: it was read");
}

test("run.json reads back with nothing lost", () => assert.equal(parseRunResult(text, "run.json"), JSON.parse(text)));

test("a key of a newer version does not prevent reading", () => {
  const newer: unknown = { ...(JSON.parse(text) as object), later: 1 };
  assert.equal(parseRunResult(JSON.stringify(newer), "run.json"), JSON.parse(text));
});

test("a report is found by its stage", () => {
  const result = parseRunResult(text, "run.json");
  assert.is(stageReport(result, "prune")?.groups?.length, 22);
  assert.is(stageReport({ ...result, stages: [] }, "prune"), undefined);
});

test("a missing file is called missing", () => assert.match(refused(""), "there is no such file, or it is empty"));

test("what is no JSON is refused by name", () => assert.match(refused("{"), /"runs\/a\/run.json": it is not JSON/));

test("a wrong value is refused with its place", () => assert.match(refused(text.replace('"p50": 27.4', '"p50": "27.4"')), /variants\.0\.latency\.local\.inferenceMs\.p50/));

test("a missing part is refused by name", () => assert.match(refused('{"name": "a"}'), /config.*variants|variants/));

test.run();
