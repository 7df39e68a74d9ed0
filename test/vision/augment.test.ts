import { test } from "uvu";
import * as assert from "uvu/assert";
import { augmentSample, plainSample, preprocessPreset, type AugmentOptions, type Image8, type Sample, type SampleSource } from "../../vision/index.ts";
import { pattern, plain } from "./images.ts";

const contract = preprocessPreset("yolov8", [96, 64]);
const still: AugmentOptions = { seed: 1, contract, mosaic: 0, flip: 0, hue: 0, saturation: 0, value: 0, scale: 0, translate: 0 };

const sourceOf = (...samples: Sample[]): SampleSource => ({ length: samples.length, get: (index) => Promise.resolve(samples[index]!) });

/** A blue picture with one red rectangle, which is its box. */
function marked(width: number, height: number, [x, y, w, h]: readonly [number, number, number, number], classIndex: number): Sample {
  const image = plain(width, height, [0, 0, 255]);
  for (let row = y; row < y + h; row++) for (let column = x; column < x + w; column++) image.data.set([255, 0, 0], (row * width + column) * 3);
  return { image, boxes: [{ box: [x, y, w, h], classIndex }] };
}

const isRed = ({ data, width }: Image8, x: number, y: number) => data[(y * width + x) * 3]! > 200 && data[(y * width + x) * 3 + 2]! < 50;

const photos = sourceOf(
  marked(200, 120, [40, 30, 60, 50], 0),
  marked(90, 160, [10, 80, 70, 60], 1),
  marked(96, 64, [50, 10, 40, 40], 2),
  { image: pattern(130, 130), boxes: [] },
);

test("equal (seed, index, variant) give equal bytes; any other one differs", async () => {
  const options: AugmentOptions = { seed: 5, contract };
  const first = await augmentSample(photos, 0, 0, options);
  assert.equal(await augmentSample(photos, 0, 0, options), first);
  for (const other of [augmentSample(photos, 1, 0, options), augmentSample(photos, 0, 1, options), augmentSample(photos, 0, 0, { seed: 6, contract })])
    assert.not.equal((await other).image.data, first.image.data);
});

test("a used buffer leaves no trace", async () => {
  const options: AugmentOptions = { seed: 5, contract };
  const { image } = await augmentSample(photos, 0, 3, { ...options, into: pattern(96, 64).data });
  assert.equal(image.data, (await augmentSample(photos, 0, 3, options)).image.data);
});

for (const mosaic of [0, 1])
  test(`boxes stay on their objects (mosaic ${mosaic})`, async () => {
    const colourless = { hue: 0, saturation: 0, value: 0, minVisibility: 0, minSidePixels: 4 };
    let boxes = 0;
    for (let variant = 0; variant < 60; variant++) {
      const sample = await augmentSample(photos, variant % 4, variant, { seed: 2, contract, mosaic, ...colourless });
      for (const { box: [x, y, w, h] } of sample.boxes) {
        boxes++;
        assert.ok(x >= 0 && y >= 0 && x + w <= 96 && y + h <= 64);
        const [left, top, right, bottom] = [Math.ceil(x + 1), Math.ceil(y + 1), Math.floor(x + w - 2), Math.floor(y + h - 2)];
        for (const [px, py] of [[left, top], [right, top], [left, bottom], [right, bottom]] as const) if (right >= left && bottom >= top) assert.ok(isRed(sample.image, px, py), `variant ${variant}`);
        for (const [px, py] of [[Math.floor(x) - 2, top], [Math.ceil(x + w) + 1, bottom]] as const)
          if (px >= 0 && px < 96 && bottom >= top) assert.not.ok(isRed(sample.image, px, py) && sample.boxes.length === 1, `variant ${variant}`);
      }
    }
    assert.ok(boxes > 40);
  });

test("without any change it is the plain letterboxed sample, up to rounding", async () => {
  for (const index of [0, 1, 2, 3]) {
    const augmented = await augmentSample(photos, index, 0, still);
    const letterboxed = await plainSample(photos, index, contract);
    assert.equal(augmented.boxes.map(({ box }) => box.map((v) => v.toFixed(6))), letterboxed.boxes.map(({ box }) => box.map((v) => v.toFixed(6))));
    for (const [i, value] of augmented.image.data.entries()) assert.ok(Math.abs(value - letterboxed.image.data[i]!) <= 2);
  }
});

test("flip mirrors pixels and boxes", async () => {
  const sample = sourceOf(marked(96, 64, [10, 20, 30, 25], 0));
  const mirrored = await augmentSample(sample, 0, 0, { ...still, flip: 1 });
  assert.equal(mirrored.boxes, [{ box: [56, 20, 30, 25], classIndex: 0 }]);
  assert.ok(isRed(mirrored.image, 56, 20) && isRed(mirrored.image, 85, 44) && !isRed(mirrored.image, 55, 20) && !isRed(mirrored.image, 86, 44));
});

test("what is left outside is pad, and boxes that are mostly outside go", async () => {
  const sample = sourceOf({ ...marked(96, 64, [0, 0, 20, 20], 0), boxes: [{ box: [0, 0, 20, 20], classIndex: 0, crowd: true }, { box: [90, 60, 1.5, 3], classIndex: 1 }] });
  const kept = await augmentSample(sample, 0, 0, still);
  assert.equal(kept.boxes, [{ box: [0, 0, 20, 20], classIndex: 0, crowd: true }]); // the other is under 2 pixels
  const counts = await Promise.all(Array.from({ length: 40 }, async (_, variant) => {
    const { image, boxes } = await augmentSample(sample, 0, variant, { ...still, translate: 0.9, minVisibility: 0.5 });
    for (let i = 0; i < image.data.length; i += 3) assert.ok(image.data[i + 1] === 114 || image.data[i]! + image.data[i + 2]! >= 254);
    const pads = image.data.filter((value) => value === 114).length;
    assert.ok(pads > 0);
    for (const { box: [, , w, h] } of boxes) assert.ok(w * h >= 200);
    return boxes.length;
  }));
  assert.ok(counts.includes(0) && counts.includes(1));
});

test("a mosaic shows other pictures", async () => {
  const classes = new Set<number>();
  for (let variant = 0; variant < 20; variant++) for (const { classIndex } of (await augmentSample(photos, 0, variant, { seed: 1, contract })).boxes) classes.add(classIndex);
  assert.equal([...classes].sort(), [0, 1, 2]);
});

test.run();
