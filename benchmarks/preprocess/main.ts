import { execa } from "execa";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Table } from "../table.ts";

const { values } = parseArgs({
  options: { python: { type: "string", default: "python3" }, compiler: { type: "string", default: "g++" }, turns: { type: "string", default: "8" }, frames: { type: "string", default: "50" } },
});

interface Frame {
  readonly preprocess: number;
  readonly postprocess: number;
  readonly boxes: number;
}
type Program = (picture: Picture) => Promise<readonly Frame[]>;
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly file: string;
}

const sizes = [[1280, 720], [1920, 1080], [1242, 375], [640, 360]] as const;
const anchors = 80 * 48 + 40 * 24 + 20 * 12;
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const random = ((state) => () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32)(1);

/** A network's output for a busy street: 300 of the anchors above the threshold, in clusters that NMS thins out. */
const makeOutput = (): Float32Array => {
  const output = new Float32Array(9 * anchors);
  for (let c = 0; c < 9; c++) for (let a = 0; a < anchors; a++) output[c * anchors + a] = c < 4 ? 0 : random() * 0.1;
  for (let i = 0; i < 300; i++) {
    const anchor = Math.floor(random() * anchors);
    const object = i % 40;
    const box = [(object % 8) * 75 + 40 + random() * 8, Math.floor(object / 8) * 70 + 40 + random() * 8, 60 + random() * 6, 50 + random() * 6];
    for (let c = 0; c < 4; c++) output[c * anchors + anchor] = box[c]!;
    output[(4 + (object % 5)) * anchors + anchor] = 0.3 + 0.7 * random();
  }
  return output;
};

const folder = await mkdtemp(join(tmpdir(), "edgestill-bench-"));
try {
  const program = join(folder, "bench");
  await execa(values.compiler, ["-std=c++17", "-O3", "-DNDEBUG", "-I", join(import.meta.dirname, "../../bundle/cpp/include"), join(import.meta.dirname, "bench.cpp"), "-o", program]);
  const outputFile = join(folder, "output.bin");
  await writeFile(outputFile, new Uint8Array(makeOutput().buffer));
  const pictures = await Promise.all(sizes.map(async ([width, height]): Promise<Picture> => {
    const file = join(folder, `${width}x${height}.rgb`);
    await writeFile(file, Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256)));
    return { width, height, file };
  }));
  let peerSays = "";
  const args = ({ width, height, file }: Picture): string[] => [String(width), String(height), file, outputFile, values.frames];
  const frames = (text: string): Frame[] => text.split("\n").filter((line) => line.split(" ").length === 3).map((line) => {
    const [preprocess = NaN, postprocess = NaN, boxes = NaN] = line.split(" ").map(Number);
    return { preprocess, postprocess, boxes };
  });
  const ours: Program = async (picture) => frames((await execa(program, args(picture))).stdout);
  const peer: Program = async (picture) => {
    const [first = "", ...rest] = (await execa(values.python, [join(import.meta.dirname, "peer.py"), ...args(picture)])).stdout.split("\n");
    peerSays = first;
    return frames(rest.join("\n"));
  };
  const table = new Table(["picture → 640x384", "ours: preprocess", "decode + NMS", "both, median", "fastest", "OpenCV: preprocess", "decode + NMS", "ratio preprocess", "ratio both", "boxes"]);
  for (const picture of pictures) {
    const [mine, theirs]: [Frame[], Frame[]] = [[], []];
    for (let turn = 0; turn < Number(values.turns); turn++) {
      mine.push(...(await ours(picture)));
      theirs.push(...(await peer(picture)));
    }
    const of = (list: readonly Frame[], pick: (frame: Frame) => number): number => median(list.map(pick));
    const both = (frame: Frame): number => frame.preprocess + frame.postprocess;
    const ms = (value: number): string => `${value.toFixed(2)} ms`;
    table.push([
      `${picture.width}x${picture.height}`, ms(of(mine, (f) => f.preprocess)), ms(of(mine, (f) => f.postprocess)), ms(of(mine, both)), ms(Math.min(...mine.map(both))),
      ms(of(theirs, (f) => f.preprocess)), ms(of(theirs, (f) => f.postprocess)), `${(of(theirs, (f) => f.preprocess) / of(mine, (f) => f.preprocess)).toFixed(2)}x`,
      `${(of(theirs, both) / of(mine, both)).toFixed(2)}x`, `${mine[0]!.boxes} / ${theirs[0]!.boxes}`,
    ]);
  }
  const [version, same, difference] = peerSays.split(" ");
  console.log(table.toString());
  console.log(`OpenCV ${version}, one thread; its tensor ${same === "1" ? "equals the contract's" : `differs from the contract's by up to ${difference} (it multiplies by a rounded 1/255)`}. Ratio above 1: ours is faster.`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
