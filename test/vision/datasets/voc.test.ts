import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

const object = (name: string, box: readonly [number, number, number, number], extra = "") =>
  `  <object><name>${name}</name>${extra}<bndbox><xmin>${box[0]}</xmin><ymin>${box[1]}</ymin><xmax>${box[2]}</xmax><ymax>${box[3]}</ymax></bndbox></object>\n`;
const annotation = (objects: string, size = "<size><width>20</width><height>10</height><depth>3</depth></size>") =>
  `<annotation>\n  <filename>x.png</filename>${size}\n${objects}</annotation>\n`;
const voc = {
  "Annotations/1.xml": annotation(object("sofa", [2, 3, 11, 8]) + object("aeroplane", [1, 1, 20, 10], "<difficult>1</difficult>")),
  "Annotations/2.xml": annotation(""),
  "JPEGImages/1.png": [20, 10],
  "JPEGImages/2.png": [20, 10],
  "SegmentationClass/1.png": [5, 5],
} as const;

test("VOC: 1-based inclusive pixels, difficult is crowd, masks with the same name left alone", () =>
  withDataset(voc, async (root) => {
    const { classes, items } = await openDataset(root, { classes: ["couch", "airplane"] });
    assert.equal(classes, ["couch", "airplane"]);
    assert.equal(items.map(({ id, imageId }) => [id, imageId]), [["JPEGImages/1.png", 1], ["JPEGImages/2.png", 2]]);
    assert.equal(items.map(({ boxes }) => boxes), [[{ box: [1, 2, 10, 6], classIndex: 0 }, { box: [0, 0, 20, 10], classIndex: 1, crowd: true }], []]);
  }));

test("VOC: ImageSets chooses the split", () =>
  withDataset({ ...voc, "ImageSets/Main/val.txt": "2\n" }, async (root) => assert.equal((await openDataset(root)).items.map(({ id }) => id), ["JPEGImages/2.png"])));

test("XML files beside the pictures are VOC too", () =>
  withDataset({ "1.xml": voc["Annotations/1.xml"], "1.png": [20, 10] }, async (root) => assert.equal((await openDataset(root)).classes, ["aeroplane", "sofa"])));

for (const [what, xml, expected] of [
  ["malformed XML", "<annotation>\n<object>\n</annotation>", /1\.xml:\d: malformed XML/],
  ["another XML", "<svg></svg>", /not a VOC annotation/],
  ["a word for a number", annotation(object("a", [1, 1, 2, 2]) + object("a", [1, 1, 5, 5]).replace("5", "five")), /1\.xml:4: object: bndbox\.xmax/],
  ["a box inside out", annotation(object("a", [5, 5, 2, 2])), /1\.xml:3: .*no area/],
  ["an object without name", annotation("<object><bndbox/></object>"), /1\.xml:3: .*name/],
  ["a size that is not the picture's", annotation("", "<size><width>8</width><height>8</height></size>"), /8x8, this one is 20x10/],
  ["an entity bomb", `<!DOCTYPE a [<!ENTITY x "yyyy">]>${annotation(object("&x;&x;", [1, 1, 50, 2]).replace("50", "&x;"))}`, /1\.xml/],
] as const)
  test(`VOC with ${what} is reported with file and line`, () =>
    withDataset({ ...voc, "Annotations/1.xml": xml }, async (root) => {
      const error = await failure(openDataset(root));
      assert.is(error.code, "DATASET_INVALID");
      assert.match(error.message, expected);
    }));

test("an annotation without picture is reported", () =>
  withDataset({ ...voc, "Annotations/3.xml": annotation("") }, async (root) => assert.match((await failure(openDataset(root))).message, /3\.xml: no picture "3"/)));

test.run();
