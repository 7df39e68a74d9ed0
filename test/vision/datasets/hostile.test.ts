import { execa } from "execa";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage, encodePng, openDataset, readImageSize } from "../../../vision/index.ts";
import { parseVoc } from "../../../vision/datasets/voc.ts";
import { parseYoloLabels } from "../../../vision/datasets/yolo-labels.ts";
import { pattern } from "../images.ts";
import { failure, withDataset } from "./folder.ts";

const test = suite("hostile data");
const yolo = { "images/a.png": [32, 32], "labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "classes.txt": "thing\n" } as const;

for (const [name, bytes, word] of [
  ["SVG", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>', "SVG"], ["XML head", '<?xml version="1.0"?><svg/>', "SVG"],
  ["PDF", "%PDF-1.7\n%", "PDF"], ["PPM", "P6\n1 1\n255\nabc", "PPM"], ["HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"], ["MP4", "\0\0\0\x18ftypisom\0\0\0\0isommp41", "video"],
  ["gzip", "\x1f\x8b\x08\0\0\0\0\0", "archive"], ["text", "hello", "unknown"], ["JPEG XL", "\xff\x0a\xfa", "JPEG XL"],
] as const)
  test(`${name} is no picture, whatever its name`, () => withDataset({}, async (root) => {
    const file = path.join(root, "a.jpg");
    writeFileSync(file, Buffer.from(bytes, "latin1"));
    for (const work of [() => decodeImage(file), () => readImageSize(file), () => decodeImage(Buffer.from(bytes, "latin1"))]) {
      const error = await failure(work());
      assert.is(error.code, "IMAGE_FORMAT");
      assert.match(error.message, word);
    }
    assert.match((await failure(openDataset(root))).message, word);
  }));

test("pipes, devices, folders and loops in place of pictures are named and hold nobody up", () => withDataset({}, async (root) => {
  await execa("mkfifo", [path.join(root, "pipe.jpg")]);
  symlinkSync("/dev/zero", path.join(root, "zero.png"));
  symlinkSync(path.join(root, "b.jpg"), path.join(root, "a.jpg"));
  symlinkSync(path.join(root, "a.jpg"), path.join(root, "b.jpg"));
  writeFileSync(path.join(root, "good.png"), await encodePng(pattern(8, 8)));
  const { items, problems } = await openDataset(root, { skipInvalid: true });
  assert.equal(items.map(({ id }) => id), ["good.png"]);
  assert.equal(problems.map(({ message }) => /pipe|device|loop/.exec(message)?.[0]), ["loop", "loop", "pipe", "device"]);
  mkdirSync(path.join(root, "folder.jpg"));
  for (const name of ["pipe.jpg", "zero.png", "a.jpg", "folder.jpg"]) assert.is((await failure(decodeImage(path.join(root, name)))).code, "IMAGE_MISSING");
}));

test("a PNG of 50,000 x 50,000 pixels is refused by its header, from file and bytes", () => withDataset({}, async (root) => {
  const bytes = Buffer.from(await encodePng(pattern(8, 8)));
  bytes.writeUInt32BE(50_000, 16);
  bytes.writeUInt32BE(50_000, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  writeFileSync(path.join(root, "bomb.png"), bytes);
  for (const work of [() => decodeImage(path.join(root, "bomb.png")), () => decodeImage(bytes), () => readImageSize(bytes)]) assert.is((await failure(work())).code, "IMAGE_TOO_LARGE");
}));

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};

test("a JPEG whose scan ends early is refused, though a decoder could make up the rest", async () => {
  const { width, height, data } = pattern(200, 200);
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } }).jpeg().toBuffer();
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
  const shorter = Buffer.concat([bytes.subarray(0, scan + 2000), Buffer.from([0xff, 0xd9])]); // whole to the eye: it has its end marker
  assert.is((await failure(decodeImage(shorter))).code, "IMAGE_CORRUPT");
});

test("a JPEG with stray bytes between its segments is read as without them", async () => {
  const { width, height, data } = pattern(64, 64);
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } }).jpeg().toBuffer();
  const after = 2 + 2 + bytes.readUInt16BE(4);
  assert.equal(await decodeImage(Buffer.concat([bytes.subarray(0, after), Buffer.from([1, 2, 3]), bytes.subarray(after)])), await decodeImage(bytes));
});

test("a polygon of a million points has its bounding box, in YOLO and COCO", () => withDataset({ "a.png": [100, 100] }, async (root) => {
  const points = Array.from({ length: 1_000_000 }, (_, i) => 0.25 + 0.5 * ((i * 7919) % 1001) / 1000);
  const { boxes: [box], problems } = parseYoloLabels(`0 ${points.join(" ")}\n`, "a.txt", ["thing"]);
  assert.equal([problems, box!.box.map((value) => Number(value.toFixed(9)))], [[], [0.25, 0.25, 0.5, 0.5]]);
  const coco = { images: [{ id: 1, file_name: "a.png" }], categories: [{ id: 1, name: "thing" }], annotations: [{ id: 1, image_id: 1, category_id: 1, segmentation: [points.map((value) => 100 * value)] }] };
  writeFileSync(path.join(root, "a.json"), JSON.stringify(coco));
  const { items: [item] } = await openDataset(path.join(root, "a.json"));
  assert.equal(item!.boxes![0]!.box.map((value) => Number(value.toFixed(6))), [25, 25, 50, 50]);
}));

for (const [name, content] of [["100,000 levels", "[".repeat(100_000) + "]".repeat(100_000)], ["an own prototype", '{"images": [], "categories": [], "__proto__": {"annotations": []}}'], ["1e999 as a number", '{"images": [{"id": 1e999, "file_name": "a.png"}], "categories": []}']] as const)
  test(`COCO JSON with ${name} is an error with its code`, () => withDataset({ "a.json": content }, async (root) => {
    assert.ok(["BAD_COCO_JSON", "DATASET_INVALID"].includes((await failure(openDataset(path.join(root, "a.json")))).code));
    assert.is(({} as { readonly annotations?: unknown }).annotations, undefined);
  }));

for (const [name, text] of [
  ["100,000 tags in each other", `<annotation>${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}</annotation>`],
  ["entities that grow", `<!DOCTYPE a [<!ENTITY a "xxxxxxxxxx">${Array.from({ length: 12 }, (_, i) => `<!ENTITY ${"bcdefghijklm"[i]!} "${`&${"abcdefghijkl"[i]!};`.repeat(10)}">`).join("")}]><annotation><filename>&m;</filename></annotation>`],
  ["a tag called __proto__", "<annotation><__proto__><x>1</x></__proto__></annotation>"], ["a text without end", "<annotation><![CDATA["], ["Infinity", "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>1e999</xmax><ymax>3</ymax></bndbox></object></annotation>"],
] as const)
  test(`VOC XML with ${name} is read without harm or a problem of its file`, () => {
    const { boxes, filename, problems } = parseVoc(text, "a.xml");
    assert.equal(boxes, []);
    assert.ok(problems.length > 0 || (filename ?? "").length < 100);
    assert.is(({} as { readonly x?: unknown }).x, undefined);
  });

test("labels that are a pipe or too large are a problem of their file; the others are used", () => withDataset({ ...yolo, "images/b.png": [32, 32] }, async (root) => {
  await execa("mkfifo", [path.join(root, "labels/b.txt")]);
  assert.match((await failure(openDataset(root))).message, /b\.txt: the labels cannot be read: it is a pipe/);
  assert.equal((await openDataset(root, { skipInvalid: true })).items.map(({ id }) => id), ["images/a.png"]);
}));

test("a data.yaml that is an alias bomb, deep, or no YAML is BAD_DATA_YAML", () => withDataset(yolo, async (root) => {
  for (const text of [`a: &a [x,x]\nb: &b [${"*a,".repeat(60)}]\nc: [${"*b,".repeat(60)}]`, "[".repeat(50_000), "names: [a", "- ".repeat(1000)]) {
    writeFileSync(path.join(root, "data.yaml"), text);
    assert.is((await failure(openDataset(root))).code, "BAD_DATA_YAML");
  }
}));

test("text that looks like labels for long takes no long time", () => withDataset({ ...yolo, "labels/x.txt": `0 ${"-1 ".repeat(600)}x\n` }, async (root) => {
  assert.is((await openDataset(root)).items.length, 1); // hangs where the pattern tries each sign twice
}));

test("a class called __proto__ is refused; constructor and toString are classes as any other", () => withDataset(yolo, async (root) => {
  writeFileSync(path.join(root, "classes.txt"), "__proto__\n");
  assert.is((await failure(openDataset(root))).code, "BAD_CLASS_NAMES");
  writeFileSync(path.join(root, "classes.txt"), "constructor\ntoString\n");
  assert.equal((await openDataset(root)).classes, ["constructor", "toString"]);
}));

const isRoot = process.getuid?.() === 0;
test("a labels folder that may not be read is an error, not a data set without labels", () => withDataset(yolo, async (root) => {
  if (isRoot && (await execa("sh", ["-c", "command -v setpriv"], { reject: false })).exitCode !== 0) return void console.log("skipped: root reads everything, and there is no setpriv");
  chmodSync(path.join(root, "labels"), 0o000);
  chmodSync(root, 0o755);
  const script = `const { openDataset } = await import(${JSON.stringify(path.resolve("vision/index.ts"))}); await openDataset(${JSON.stringify(path.join(root, "images"))}, { labelNames: ["thing"] }).then((d) => console.log(d.items.length), (e) => console.log(e.code))`;
  const command = [process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
  const { stdout, stderr } = isRoot ? await execa("setpriv", ["--reuid=65534", "--clear-groups", ...command], { reject: false, env: { HOME: "/tmp" } }) : await execa(command[0]!, command.slice(1), { reject: false });
  chmodSync(path.join(root, "labels"), 0o755);
  assert.is(stdout, "DATASET_UNREADABLE", stderr);
}));

test.run();
