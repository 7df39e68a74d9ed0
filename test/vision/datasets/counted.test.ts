import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cocoClasses, openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

/** Every picture and label of a folder is used or counted in a note. */

const names = "val: images\nnames: [bus, car]\n";
const box = "0 0.5 0.5 0.5 0.5";
const yolo = { "data.yaml": names, "images/a.png": [10, 10], "labels/a.txt": box, "images/plain.png": [10, 10] } as const;

for (const [unlabelled, boxes, note] of [
  [undefined, [1, 0], /1 picture \(images\/plain\.png\) without a label file: taken as pictures without objects/],
  ["background", [1, 0], /without objects/],
  ["teacher", [1, null], /for the teacher alone/],
  ["skip", [1], /left out/],
] as const)
  test(`a YOLO picture without label file, unlabelled: ${unlabelled ?? "by default"}`, () => withDataset(yolo, async (root) => {
    const { items, notes } = await openDataset(root, unlabelled ? { unlabelled } : {});
    assert.equal(items.map((item) => item.boxes?.length ?? null), boxes);
    assert.match(notes.join("\n"), note);
  }));

test("a YOLO picture without label file, unlabelled: error", () => withDataset(yolo, async (root) => {
  assert.match((await failure(openDataset(root, { unlabelled: "error" }))).message, /plain\.png: has no label file/);
  assert.is((await openDataset(root, { unlabelled: "error", skipInvalid: true })).items.length, 1);
}));

test("an empty label file is a picture without objects; nothing is said of it", () => withDataset({ ...yolo, "labels/plain.txt": "\n" }, async (root) => {
  const { items, notes } = await openDataset(root);
  assert.equal([items.map(({ boxes }) => boxes?.length), notes], [[1, 0], ["no boxes of \"car\": without an AP (null), not in the mean"]]);
}));

test("label files without a picture are counted; other text files are not", () =>
  withDataset({ ...yolo, "labels/gone.txt": box, "labels/gone2.txt": "", "labels/notes.txt": "made in 2020\n", "images/readme.txt": "hello" }, async (root) =>
    assert.match((await openDataset(root)).notes.join("\n"), /2 label files \(labels\/gone\.txt, labels\/gone2\.txt\) without a picture: left out/)));

test("labels beside the pictures: orphans are counted there too", () =>
  withDataset({ "classes.txt": "a", "a.png": [8, 8], "a.txt": box, "b.txt": box }, async (root) => {
    const { items, notes } = await openDataset(root);
    assert.is(items.length, 1);
    assert.match(notes.join("\n"), /1 label file \(b\.txt\) without a picture/);
  }));

test("upper-case extensions of pictures and labels; two pictures of one name share their labels, which is said", () =>
  withDataset({ "data.yaml": names, "images/A.PNG": [8, 8], "labels/A.TXT": box, "images/b.png": [8, 8], "images/b.bmp": "", "labels/b.txt": box }, async (root) => {
    const { items, problems, notes } = await openDataset(root, { skipInvalid: true });
    assert.equal(items.map(({ id, boxes }) => [id, boxes?.length]), [["images/A.PNG", 1], ["images/b.png", 1]]);
    assert.match(problems[0]?.file ?? "", /b\.bmp/);
    assert.match(notes.join("\n"), /1 label file \(labels\/b\.txt\) for several pictures of one name/);
  }));

for (const [what, unlabelled, expected] of [["background", undefined, [1, 0]], ["left out", "skip", [1]]] as const)
  test(`a VOC picture without XML is ${what}`, () => withDataset({ "Annotations/1.xml": voc("a", 1), "JPEGImages/1.png": [8, 8], "JPEGImages/2.png": [8, 8] }, async (root) => {
    const { items, notes } = await openDataset(root, unlabelled ? { unlabelled } : {});
    assert.equal(items.map(({ boxes }) => boxes?.length), expected);
    assert.match(notes.join("\n"), /1 picture \(JPEGImages\/2\.png\) without a label file/);
  }));

const voc = (name: string, count: number, filename = "") =>
  `<annotation><filename>${filename}</filename>${`<object><name>${name}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>`.repeat(count)}</annotation>`;

test("VOC pictures of one name: folder, then file name decide; without either it is an error", async () => {
  await withDataset({ "Annotations/x/1.xml": voc("a", 1), "Annotations/y/1.xml": voc("a", 2), "JPEGImages/x/1.png": [8, 8], "JPEGImages/y/1.png": [8, 8] }, async (root) =>
    assert.equal((await openDataset(root)).items.map(({ id, boxes }) => [id, boxes?.length]), [["JPEGImages/x/1.png", 1], ["JPEGImages/y/1.png", 2]]));
  await withDataset({ "1.xml": voc("a", 1, "C:\\\\pictures\\\\1.tif"), "1.png": [8, 8], "1.tif": [8, 8] }, async (root) =>
    assert.equal((await openDataset(root)).items.map(({ id, boxes }) => [id, boxes?.length]), [["1.tif", 1], ["1.png", 0]]));
  await withDataset({ "1.xml": voc("a", 1), "1.png": [8, 8], "1.tif": [8, 8] }, async (root) => assert.match((await failure(openDataset(root))).message, /no picture "1" in the dataset, or several/));
});

const coco = (change: object = {}) => JSON.stringify({
  images: [{ id: 0, file_name: "a.png", width: 8, height: 8 }], categories: [{ id: 0, name: "vehicles", supercategory: "none" }, { id: 1, name: "car", supercategory: "vehicles" }],
  annotations: [{ id: 1, image_id: 0, category_id: 1, bbox: [1, 1, 4, 4], area: 16, iscrowd: 0 }], ...change,
});

test("Roboflow's COCO folder: category 0 is no class, ids stay, pictures that are not listed are counted", () =>
  withDataset({ "_annotations.coco.json": coco(), "a.png": [8, 8], "b.png": [8, 8] }, async (root) => {
    const { classes, categoryIds, items, notes } = await openDataset(root);
    assert.equal([classes, categoryIds, items.map(({ imageId }) => imageId)], [["car"], [1], [0]]);
    assert.match(notes.join("\n"), /category 0 "vehicles" has no boxes.*\n1 picture \(b\.png\) not listed in _annotations\.coco\.json/);
  }));

test("a split's folder is found, whatever is in it", () => withDataset({ "train/_annotations.coco.json": "{}", "valid/_annotations.coco.json": coco(), "valid/a.png": [8, 8] }, async (root) =>
  assert.is((await openDataset(root)).items.length, 1)));

for (const [what, change, expected] of [
  ["text as ids", { images: [{ id: "a", file_name: "a.png" }] }, /images\[0\] \(id a\): id: must be a whole number below 2\^53/],
  ["ids beyond 2^53", { images: [{ id: 2 ** 53, file_name: "a.png" }] }, /whole number below 2\^53/],
  ["a category id used twice", { categories: [{ id: 1, name: "a" }, { id: 1, name: "b" }] }, /two categories have id 1/],
] as const)
  test(`COCO JSON with ${what} is an error`, () => withDataset({ "val.json": coco(change), "a.png": [8, 8] }, async (root) => assert.match((await failure(openDataset(path.join(root, "val.json")))).message, expected)));

test("pictures of one name in several folders: the split's folder is used, and said", () => {
  const json = coco({ images: [{ id: 0, file_name: "a.png" }] });
  return withDataset({ "val.json": json, "images/a.png": [8, 8], "images/val/a.png": [9, 8] }, async (root) => {
    const { items, notes } = await openDataset(path.join(root, "val.json"));
    assert.is(items[0]?.width, 9);
    assert.match(notes.join("\n"), /images.val", which is used, and in ".*images"/);
  });
});

test("Roboflow's ../: where both folders exist it is said which is used", () =>
  withDataset({ "set/data.yaml": "val: ../valid/images\nnames: [bus, car]", "valid/images/other.png": [8, 8], "valid/labels/other.txt": "", "set/valid/images/a.png": [8, 8], "set/valid/labels/a.txt": box }, async (root) => {
    const { items, notes } = await openDataset(path.join(root, "set"));
    assert.equal(items.map(({ id }) => path.basename(id)), ["other.png"]);
    assert.match(notes.join("\n"), /is used, as data\.yaml says; ".*set.valid.images" exists too/);
  }));

test("unlabelled pictures with twins in another folder are said", () => withDataset({ "images/a.png": [8, 8], "images/b.png": [8, 8], "masks/a.png": [8, 8], "masks/b.png": [8, 8] }, async (root) =>
  assert.match((await openDataset(root)).notes.join("\n"), /most pictures have another of the same name.*\(images, masks\)/)));

test("COCO file names with Windows separators are found", () =>
  withDataset({ "val.json": coco({ images: [{ id: 0, file_name: "images\\a.png" }] }), "images/a.png": [8, 8] }, async (root) =>
    assert.equal((await openDataset(path.join(root, "val.json"))).items.map(({ id }) => id), ["images/a.png"])));

test("a byte order mark before JSON, YAML, XML, names or labels does no harm", async () => {
  const mark = "\uFEFF";
  const sets = [
    { "val.json": mark + coco(), "a.png": [8, 8] }, { "data.yaml": mark + names, "images/a.png": [8, 8], "labels/a.txt": mark + box },
    { "a.xml": mark + voc("a", 1), "a.png": [8, 8] }, { "classes.txt": `${mark}car`, "a.png": [8, 8], "a.txt": mark + box },
  ] as const;
  for (const files of sets)
    await withDataset(files, async (root) => {
      const { classes, items } = await openDataset(root);
      assert.equal([items[0]?.boxes?.length, classes.some((name) => name.startsWith(mark))], [1, false], JSON.stringify(files));
    });
});

test("what pycocotools would count otherwise is said", () => {
  const annotations = [0, 3, 3].map((id) => ({ id, image_id: 0, category_id: 1, bbox: [1, 1, 4, 4], area: 16, iscrowd: 0 }));
  const images = [{ id: 0, file_name: "a.png" }, { id: 5, file_name: "a.png" }];
  return withDataset({ "val.json": coco({ annotations, images }), "a.png": [8, 8] }, async (root) =>
    assert.match((await openDataset(path.join(root, "val.json"))).notes.join("\n"), /1 picture \(a\.png\) listed more than once[^]*1 annotation ids are used more than once[^]*id 0/));
});

const texts = (line: string, count: number): Record<string, string | readonly [number, number]> => {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return { ...Object.fromEntries(numbers.map((i) => [`images/${i}.png`, [10, 10] as const])), ...Object.fromEntries(numbers.map((i) => [`labels/${i}.txt`, line])) };
};

test("keypoints: by kpt_shape, or by their visibility; the boxes are used", async () => {
  const withFlags = "0 0.5 0.5 0.4 0.2 0.4 0.45 2 0.6 0.55 1 0 0 0";
  const pairs = "0 0.5 0.5 0.4 0.2 0.4 0.45 0.6 0.55";
  for (const [yaml, line] of [[names, withFlags], [`${names}kpt_shape: [3, 3]\n`, withFlags], [`${names}kpt_shape: [2, 2]\n`, pairs]] as const)
    await withDataset({ "data.yaml": yaml, ...texts(line, 2) }, async (root) => {
      const { items, notes } = await openDataset(root);
      assert.equal(items[0]?.boxes?.[0]?.box.map((value) => Math.round(value * 1e6) / 1e6), [3, 4, 4, 2]);
      assert.match(notes.join("\n"), /2 label lines have keypoints: their boxes alone are used/);
    });
  await withDataset({ "data.yaml": `${names}kpt_shape: [3, 3]\n`, ...texts(pairs, 2) }, async (root) => assert.match((await failure(openDataset(root))).message, /9 fields, expected 5 .* or 14/));
  await withDataset({ "data.yaml": names, ...texts(pairs, 8) }, async (root) => assert.is((await failure(openDataset(root))).code, "LABELS_AMBIGUOUS"));
});

test("turned boxes and polygons are their bounding boxes, which is said", () => withDataset({ "data.yaml": names, ...texts("1 0.2 0.1 0.9 0.3 0.8 0.6 0.1 0.4", 8) }, async (root) => {
  const { items, notes } = await openDataset(root);
  assert.equal(items[0]?.boxes?.[0]?.box.map((value) => Math.round(value * 1e6) / 1e6), [1, 1, 8, 5]);
  assert.match(notes.join("\n"), /8 label lines are polygons or turned boxes/);
}));

test("the model's classes name class numbers only where the labels show COCO's", async () => {
  const files = (line: string) => ({ "images/a.png": [10, 10], "labels/a.txt": line }) as const;
  await withDataset(files(box), async (root) => {
    assert.is((await failure(openDataset(root, { modelNames: ["bus"] }))).code, "NO_CLASS_NAMES");
    assert.is((await failure(openDataset(root, { modelNames: cocoClasses }))).code, "NO_CLASS_NAMES");
    const { classes, notes } = await openDataset(root, { labelNames: ["bus"] });
    assert.equal(classes, ["bus"]);
    assert.match(notes.join("\n"), /names that were given/);
  });
  await withDataset(files(`77 ${box.slice(2)}`), async (root) => assert.match((await openDataset(root, { modelNames: cocoClasses })).notes.join("\n"), /read as COCO's/));
});

test("a list of pictures that are not there names them", () => withDataset({ "val.txt": "gone.jpg\n", "classes.txt": "a" }, async (root) =>
  assert.match((await failure(openDataset(path.join(root, "val.txt")))).message, /1 problem:[^]*gone\.jpg.*no such file/)));

test("given label names that a data.yaml overrules are said", () => withDataset(yolo, async (root) => {
  const { classes, notes } = await openDataset(root, { labelNames: ["x", "y"] });
  assert.equal(classes, ["bus", "car"]);
  assert.match(notes.join("\n"), /label names that were given are not used.*\(bus, car\)/);
}));

test("an empty line among class names would shift the numbers: an error", () =>
  withDataset({ "classes.txt": "a\n\nb\n", "images/a.png": [8, 8], "labels/a.txt": box }, async (root) => assert.is((await failure(openDataset(root))).code, "BAD_CLASS_NAMES")));

test("a list of pictures: relative to it or to the data set, Windows paths, twice the same", () =>
  withDataset({ "data.yaml": "val: lists/val.txt\nnames: [bus, car]\n", "lists/val.txt": "images\\a.png\nimages/a.png\n./images/b.png\n", "images/a.png": [8, 8], "images/b.png": [8, 8], "labels/a.txt": box, "labels/b.txt": "" }, async (root) => {
    const { items, notes } = await openDataset(root);
    assert.equal(items.map(({ id }) => id), ["images/a.png", "images/b.png"]);
    assert.match(notes.join("\n"), /1 pictures listed more than once count once/);
  }));

test.run();
