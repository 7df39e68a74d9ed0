import { test } from "uvu";
import * as assert from "uvu/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const folders = ["cli", "pipeline", "report", "bundle", "detection", "vision", "targets", "benchmarks", "examples"];
const sources = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).map((name) => join(folder, name)));

/** A text with "mAP" in it whose figures are not made by `points` or `signedPoints`. */
const ownScale = (line: string): boolean => /`[^`]*mAP[^`]*\$\{[^`]*\.to(Fixed|Precision)\(/.test(line) || /`[^`]*\.to(Fixed|Precision)\([^`]*\}[^`]*mAP/.test(line);

test("texts for people take every mAP from points(): one scale, one place", () => {
  assert.ok(ownScale("`mAP ${map.toFixed(4)}`") && ownScale("`${(100 * map).toFixed(1)} mAP`") && !ownScale("`mAP ${points(map)}`"));
  // a line may hold other figures before a mAP: what is between ", mAP" and the end counts there
  const found = sources.flatMap((file) => readFileSync(join(root, file), "utf8").split("\n").flatMap((line, at) => {
    const tail = line.slice(Math.max(0, line.search(/, mAP /)));
    return ownScale(line) && (ownScale(`\`${tail}`) || !/, mAP /.test(line)) ? [`${file}:${at + 1}: use points() or signedPoints() of report/figures.ts`] : [];
  }));
  assert.equal(found, []);
});

test.run();
