import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encodePng } from "../../../vision/image.ts";
import { groundTruthJson, openDataset } from "../../../vision/index.ts";
import type { Dataset } from "../../../vision/index.ts";
import { pattern } from "../../vision/images.ts";
import { must, textSeed, type Kind, type Seed } from "../kind.ts";
import { uncleanPart } from "../outcome.ts";
import type { Random } from "../random.ts";
import { mutateJson, mutateText } from "../text.ts";

const [width, height] = [40, 30];

const coco = {
  images: [
    { id: 1, file_name: "images/a.png", width, height },
    { id: 2, file_name: "images/b.png", width, height },
  ],
  categories: [
    { id: 1, name: "car" },
    { id: 7, name: "dog" },
  ],
  annotations: [
    {
      id: 1,
      image_id: 1,
      category_id: 1,
      bbox: [2, 3, 10, 12],
      area: 120,
      iscrowd: 0,
      segmentation: [[2, 3, 12, 3, 12, 15]],
    },
    {
      id: 2,
      image_id: 2,
      category_id: 7,
      bbox: [0, 0, 40, 30],
      area: 1200,
      iscrowd: 1,
      segmentation: { counts: [0, 1200], size: [30, 40] },
    },
  ],
};

const voc = `<annotation><folder>images</folder><filename>a.png</filename><size><width>${width}</width><height>${height}</height><depth>3</depth></size>
<object><name>car</name><difficult>0</difficult><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>12</xmax><ymax>15</ymax></bndbox></object>
<object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>40</xmax><ymax>30</ymax></bndbox></object></annotation>
`;

const yaml = "path: .\ntrain: images\nval: images\nnames:\n  0: car\n  1: dog\nnc: 2\n";
const yolo = "0 0.25 0.3 0.2 0.4\n1 0.5 0.5 1 1\n";

/** Files of a data set beside its two pictures; the one that is changed has the seed's name. */
const sets: Readonly<Record<string, { readonly files: Readonly<Record<string, string>>; readonly open: string }>> = {
  yolo: { files: { "labels/a.txt": yolo, "labels/b.txt": "", "data.yaml": yaml }, open: "data.yaml" },
  polygons: {
    files: {
      "labels/a.txt": "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n1 0.2 0.2 0.9 0.2 0.9 0.9\n",
      "labels/b.txt": yolo,
      "data.yaml": yaml,
    },
    open: "data.yaml",
  },
  yaml: { files: { "data.yaml": yaml, "labels/a.txt": yolo, "labels/b.txt": yolo }, open: "data.yaml" },
  classes: { files: { "classes.txt": "car\ndog\n", "labels/a.txt": yolo, "labels/b.txt": yolo }, open: "" },
  list: {
    files: {
      "val.txt": "images/a.png\nimages/b.png\n",
      "labels/a.txt": yolo,
      "labels/b.txt": yolo,
      "classes.txt": "car\ndog\n",
    },
    open: "val.txt",
  },
  coco: { files: { "coco.json": JSON.stringify(coco) }, open: "coco.json" },
  voc: { files: { "Annotations/a.xml": voc, "Annotations/b.xml": voc.replace("a.png", "b.png") }, open: "" },
  cvat: {
    files: {
      "obj.data": "classes = 2\nnames = data/obj.names\nvalid = data/train.txt\n",
      "obj.names": "car\ndog\n",
      "train.txt": "images/a.png\nimages/b.png\n",
      "images/a.txt": yolo,
      "images/b.txt": yolo,
    },
    open: "",
  },
};

/** Boxes are numbers inside their pictures, of classes that there are; every picture once. */
const checkDataset = (dataset: Dataset): void => {
  const ids = new Set(dataset.items.map(({ imageId }) => imageId));
  must(ids.size === dataset.items.length, "two pictures have one id");
  must(new Set(dataset.categoryIds).size === dataset.classes.length, "two classes have one id");
  must(
    dataset.classes.every((name) => typeof name === "string" && name.length > 0),
    "a class without a name",
  );
  const isNamed = dataset.notes.some((note) => note.includes("reach out of their picture")); // COCO's boxes stay as written
  for (const { width: w, height: h, boxes } of dataset.items)
    for (const {
      box: [x, y, bw, bh],
      classIndex,
    } of boxes ?? []) {
      must([x, y, bw, bh].every(Number.isFinite), "a box that is no number");
      must(bw > 0 && bh > 0, `a box of ${bw}x${bh}`);
      must(
        (x >= -0.5 * w && y >= -0.5 * h && x + bw <= 1.5 * w && y + bh <= 1.5 * h) || isNamed,
        `a box far outside of its picture: ${[x, y, bw, bh].join()}`,
      );
      must(
        Number.isInteger(classIndex) && classIndex >= 0 && classIndex < dataset.classes.length,
        `a box of class ${classIndex}`,
      );
    }
};

/** The labels written as COCO JSON are read back as they were. */
const checkRoundTrip = async (dataset: Dataset, root: string, folder: string): Promise<void> => {
  if (dataset.items.length === 0 || dataset.items.every(({ boxes }) => boxes === null)) return;
  const inRoot = { ...dataset, items: dataset.items.map((item) => ({ ...item, id: item.path })) };
  const file = join(folder, "again.json");
  await writeFile(file, groundTruthJson(inRoot, inRoot.items));
  const again = await openDataset({ path: file, images: root });
  const facts = ({ classes, items }: Dataset) =>
    JSON.stringify([
      classes,
      items.map(({ imageId, boxes }) => [
        imageId,
        (boxes ?? []).map(({ box, classIndex, crowd }) => [box, classIndex, crowd === true]),
      ]),
    ]);
  must(facts(again) === facts(dataset), "labels that are written as COCO JSON are read back otherwise");
};

const mutate = ({ name, bytes }: Seed, random: Random): Uint8Array =>
  (name === "coco" ? mutateJson : mutateText)(bytes, random);
const changedFile = (name: string): string => Object.keys(sets[name]!.files)[0]!;

export const labels: Kind = {
  name: "labels",
  about:
    "YOLO labels, data.yaml, class lists, picture lists, COCO JSON, VOC XML, CVAT: open, check every box, write as COCO and read again",
  share: 150,
  seeds: () => Object.entries(sets).map(([name, { files }]) => textSeed(name, files[changedFile(name)]!)),
  mutate,
  open: async (folder) => {
    const picture = await encodePng(pattern(width, height));
    for (const [name, { files }] of Object.entries(sets))
      for (const [path, content] of Object.entries({ ...files, "images/a.png": picture, "images/b.png": picture })) {
        await mkdir(dirname(join(folder, name, path)), { recursive: true });
        await writeFile(join(folder, name, path), content);
      }
    return async (input) => {
      const root = join(folder, input.name);
      await writeFile(join(root, changedFile(input.name)), input.bytes);
      const dataset = await openDataset({ path: join(root, sets[input.name]!.open) });
      checkDataset(dataset);
      const part = uncleanPart(dataset.notes.join("\n"), input);
      must(part === undefined, `a note holds ${part}`);
      await checkRoundTrip(dataset, root, folder);
    };
  },
};
