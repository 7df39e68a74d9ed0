import { test } from "uvu";
import * as assert from "uvu/assert";
import { anchorCount, anchorLevels } from "../../detection/anchors.ts";
import { assignAtss, assignByTeacher, type TeacherView } from "../../detection/assign.ts";
import { narrow, widen } from "../../detection/half.ts";
import { isCalm, variantOf } from "../../detection/variants.ts";
import type { Box } from "../../vision/types.ts";
import { seededNumbers } from "../helpers/models.ts";

const size = [160, 96] as const;
const levels = anchorLevels(size);
const total = anchorCount(levels);
const anchors = levels.flatMap(({ stride, columns, rows }, level) =>
  Array.from({ length: columns * rows }, (_, i) => ({ level, stride, x: ((i % columns) + 0.5) * stride, y: (Math.floor(i / columns) + 0.5) * stride })));

const overlap = (a: Box, b: Box): number => {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return w > 0 && h > 0 ? (w * h) / (a[2] * a[3] + b[2] * b[3] - w * h) : 0;
};
const inside = ([x, y, w, h]: Box, anchor: { x: number; y: number }): boolean => anchor.x > x && anchor.x < x + w && anchor.y > y && anchor.y < y + h;

/** ATSS as the paper has it, over all anchors; the anchor's square has a side of five strides. */
const bruteForce = (boxes: readonly Box[]): number[] => {
  const claims = anchors.map((): { object: number; overlap: number }[] => []);
  for (const [object, box] of boxes.entries()) {
    const [cx, cy] = [box[0] + box[2] / 2, box[1] + box[3] / 2];
    const candidates = levels.flatMap((_, level) => anchors
      .map((anchor, index) => ({ ...anchor, index, distance: Math.hypot(anchor.x - cx, anchor.y - cy) }))
      .filter((anchor) => anchor.level === level).sort((a, b) => a.distance - b.distance || a.index - b.index).slice(0, 9)
      .map((anchor) => ({ ...anchor, overlap: overlap(box, [anchor.x - 2.5 * anchor.stride, anchor.y - 2.5 * anchor.stride, 5 * anchor.stride, 5 * anchor.stride]) })));
    const mean = candidates.reduce((sum, c) => sum + c.overlap, 0) / candidates.length;
    const deviation = Math.sqrt(candidates.reduce((sum, c) => sum + (c.overlap - mean) ** 2, 0) / (candidates.length - 1));
    let chosen = candidates.filter((c) => c.overlap >= mean + deviation && inside(box, c));
    if (chosen.length === 0) chosen = [candidates.reduce((best, c) => (c.overlap > best.overlap ? c : best))];
    for (const c of chosen) claims[c.index]!.push({ object, overlap: c.overlap });
  }
  return claims.map((all) => all.reduce((best, claim) => (claim.overlap > best.overlap ? claim : best), { object: -1, overlap: -1 }).object);
};

/** Fractional boxes, so that no two distances are equal; corners and borders of the picture included. */
const randomBoxes = (count: number, seed: number): Box[] => {
  const r = seededNumbers(4 * count, seed);
  return Array.from({ length: count }, (_, i): Box => {
    const [w, h] = [2 + 90 * r[4 * i]! ** 2, 2 + 60 * r[4 * i + 1]! ** 2];
    return [r[4 * i + 2]! * (size[0] - w), r[4 * i + 3]! * (size[1] - h), w, h];
  });
};

test("ATSS equals a search over all anchors", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const boxes = randomBoxes(1 + (seed % 6), seed);
    assert.equal([...assignAtss(boxes, levels)], bruteForce(boxes), `seed ${seed}`);
  }
  for (const corner of [[0.1, 0.2, 3, 3], [156.3, 92.1, 3.3, 3.1], [0.1, 92.2, 7, 3], [0, 0, 160, 96]] as const) assert.equal([...assignAtss([corner], levels)], bruteForce([corner]));
});

test("ATSS: an object alone always has an anchor, none has an anchor without objects", () => {
  for (const box of randomBoxes(60, 99)) assert.ok(assignAtss([box], levels).includes(0));
  assert.ok(assignAtss([], levels).every((owner) => owner === -1));
});

const view = (boxes: readonly Box[], score: (anchor: number, klass: number) => number): TeacherView => {
  const corners = new Float32Array(4 * total);
  for (let anchor = 0; anchor < total; anchor++) {
    const box = boxes.find((candidate) => inside(candidate, anchors[anchor]!)) ?? [0, 0, 0, 0];
    for (const [row, value] of [box[0], box[1], box[0] + box[2], box[1] + box[3]].entries()) corners[row * total + anchor] = value;
  }
  return { scores: Float32Array.from({ length: 2 * total }, (_, i) => score(i % total, Math.floor(i / total))), corners };
};

test("by the teacher: the ten anchors of its best score for the object's class, inside the object", () => {
  const box: Box = [40, 24, 64, 48];
  const owners = assignByTeacher([box], [1], view([box], (anchor, klass) => (klass === 1 ? (anchor % 97) / 100 : 0.99)), levels);
  const expected = anchors.flatMap((anchor, index) => (inside(box, anchor) ? [{ index, score: Math.max((index % 97) / 100, 1e-4) }] : [])).sort((a, b) => b.score - a.score || a.index - b.index).slice(0, 10);
  assert.equal([...owners.entries()].filter(([, owner]) => owner === 0).map(([index]) => index), expected.map(({ index }) => index).sort((a, b) => a - b));
});

test("by the teacher: an object that it does not see is assigned by ATSS", () => {
  const boxes: Box[] = [[40, 24, 40, 40], [110.5, 50.5, 20, 20]];
  const owners = assignByTeacher(boxes, [0, 1], view([boxes[0]!], () => 0.5), levels);
  const atss = assignAtss(boxes, levels);
  assert.equal([...owners.entries()].filter(([, owner]) => owner === 1).map(([index]) => index), [...atss.entries()].filter(([, owner]) => owner === 1).map(([index]) => index));
});

test("variants: every epoch its own without a teacher, a fixed number with one, only calm ones at the end", () => {
  const free = { epochs: 8, count: 0 };
  assert.equal([0, 5, 6, 7].map((epoch) => [variantOf(free, epoch), isCalm(free, variantOf(free, epoch))]), [[0, false], [5, false], [6, true], [7, true]]);
  for (const count of [1, 2, 3, 4, 7]) {
    const plan = { epochs: 20, count };
    const used = Array.from({ length: 20 }, (_, epoch) => variantOf(plan, epoch));
    assert.ok(used.every((variant) => variant >= 0 && variant < count));
    assert.is(new Set(used).size, count);
    assert.ok(used.slice(15).every((variant) => isCalm(plan, variant)));
  }
});

test("float16: every value of the table survives both ways, others are rounded to the nearest", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = new Float32Array(65536);
  widen(bits, values);
  const back = narrow(values);
  for (let i = 0; i < 65536; i++) if (!Number.isNaN(values[i]!)) assert.is(back[i], i);
  for (let i = 1; i < 0x7bff; i += 7) {
    const middle = (values[i]! + values[i + 1]!) / 2; // exact in float32: the tie goes to the even one
    assert.is(narrow(Float32Array.of(middle))[0], i % 2 === 0 ? i : i + 1);
  }
  assert.equal([...narrow(Float32Array.of(65519.9, 65520, -1e9, NaN))].map((half) => half & 0x7fff), [0x7bff, 0x7c00, 0x7c00, 0x7e00]);
});

test.run();
