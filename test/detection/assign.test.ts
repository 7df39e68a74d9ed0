import { test } from "uvu";
import * as assert from "uvu/assert";
import { anchorCount, anchorLevels } from "../../detection/anchors.ts";
import { assignAtss, assignByTeacher } from "../../detection/assign.ts";
import { narrow, widen } from "../../detection/half.ts";
import { isCalm, variantOf } from "../../detection/variants.ts";
import { diceFor } from "../../vision/random.ts";
import type { Box } from "../../vision/types.ts";

const levels = anchorLevels([128, 96]);
const total = anchorCount(levels);

interface Cell { readonly x: number; readonly y: number; readonly stride: number; readonly anchor: number }
const cells: readonly Cell[] = levels.flatMap(({ stride, columns, rows, first }) =>
  Array.from({ length: columns * rows }, (_, i) => ({ x: ((i % columns) + 0.5) * stride, y: (Math.floor(i / columns) + 0.5) * stride, stride, anchor: first + i })));

/** ATSS as its paper writes it, over all cells: no shortcuts. */
const reference = (boxes: readonly Box[]): number[] => {
  const owner = new Array<number>(total).fill(-1);
  const best = new Array<number>(total).fill(-1);
  for (const [index, [left, top, w, h]] of boxes.entries()) {
    const distance = ({ x, y }: Cell) => (x - left - w / 2) ** 2 + (y - top - h / 2) ** 2;
    const candidates = levels.flatMap(({ stride }) =>
      cells.filter((cell) => cell.stride === stride).sort((a, b) => distance(a) - distance(b) || a.anchor - b.anchor).slice(0, 9));
    const overlaps = candidates.map(({ x, y, stride }) => {
      const half = 2.5 * stride;
      const overlapX = Math.max(0, Math.min(left + w, x + half) - Math.max(left, x - half));
      const overlapY = Math.max(0, Math.min(top + h, y + half) - Math.max(top, y - half));
      return (overlapX * overlapY) / (w * h + 4 * half * half - overlapX * overlapY);
    });
    const mean = overlaps.reduce((a, b) => a + b, 0) / overlaps.length;
    const deviation = Math.sqrt(overlaps.reduce((a, b) => a + (b - mean) ** 2, 0) / (overlaps.length - 1));
    const chosen = candidates.filter(({ x, y }, i) => overlaps[i]! >= mean + deviation && x > left && x < left + w && y > top && y < top + h);
    const kept = chosen.length > 0 ? chosen : [candidates[overlaps.indexOf(Math.max(...overlaps))]!];
    for (const cell of kept) {
      const overlap = overlaps[candidates.indexOf(cell)]!;
      if (overlap > best[cell.anchor]!) [best[cell.anchor], owner[cell.anchor]] = [overlap, index];
    }
  }
  return owner;
};

const randomBoxes = (seed: number): Box[] => {
  const dice = diceFor(seed, 0, 0);
  return Array.from({ length: 1 + dice.index(6) }, (): Box => {
    const [w, h] = [dice.between(3, 90), dice.between(3, 70)];
    return [dice.between(0, 128 - w), dice.between(0, 96 - h), w, h];
  });
};

for (let seed = 1; seed <= 40; seed++) {
  test(`ATSS equals the paper's definition on random boxes ${seed}`, () => {
    const boxes = randomBoxes(seed);
    assert.equal([...assignAtss(boxes, levels)], reference(boxes));
  });
}

test("every object gets an anchor, also one that no cell centre hits", () => {
  const owner = assignAtss([[9, 9, 2, 2], [60, 40, 30, 30]], levels);
  assert.ok(owner.includes(0) && owner.includes(1));
});

test("no objects, no positives", () => assert.ok(assignAtss([], levels).every((index) => index === -1)));

test("by the teacher: the anchors whose boxes and scores fit best, inside the object", () => {
  const scores = new Float32Array(2 * total);
  const corners = new Float32Array(4 * total);
  const box: Box = [32, 32, 32, 32];
  const inside = cells.filter(({ x, y }) => x > 32 && x < 64 && y > 32 && y < 64);
  const favourites = inside.slice(0, 3);
  for (const { anchor } of favourites) {
    scores[total + anchor] = 0.9;
    for (const [row, value] of [32, 32, 64, 64].entries()) corners[row * total + anchor] = value;
  }
  const owner = assignByTeacher([box], [1], { scores, corners }, levels);
  assert.equal([...owner.entries()].filter(([, index]) => index === 0).map(([anchor]) => anchor), favourites.map(({ anchor }) => anchor).sort((a, b) => a - b));
});

test("an object that the teacher does not see falls back to ATSS", () => {
  const blind = { scores: new Float32Array(total), corners: new Float32Array(4 * total) };
  const box: Box = [20, 20, 40, 30];
  assert.equal([...assignByTeacher([box], [0], blind, levels)], [...assignAtss([box], levels)]);
});

test("finitely many variants are shown in turn, calm ones alone in the last quarter", () => {
  const plan = { epochs: 12, count: 4 };
  assert.equal(Array.from({ length: 12 }, (_, epoch) => variantOf(plan, epoch)), [0, 1, 2, 3, 0, 1, 2, 3, 0, 3, 3, 3]);
  assert.equal([0, 1, 2, 3].map((variant) => isCalm(plan, variant)), [false, false, false, true]);
});

test("without a count every epoch has its own variant, calm in the last quarter", () => {
  const plan = { epochs: 8, count: 0 };
  assert.equal(Array.from({ length: 8 }, (_, epoch) => [variantOf(plan, epoch), isCalm(plan, epoch)]),
    [[0, false], [1, false], [2, false], [3, false], [4, false], [5, false], [6, true], [7, true]]);
});

test("half precision keeps eleven bits", () => {
  const values = Float32Array.from([0, 1, -2.5, 0.0999755859375, 65504, 6e-8]);
  const back = new Float32Array(values.length + 1);
  widen(narrow(values), back, 1);
  for (const [i, value] of values.entries()) assert.ok(Math.abs(back[i + 1]! - value) <= Math.abs(value) / 2048 + 3e-8, String(value));
});

test.run();
