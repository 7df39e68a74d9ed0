import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openTeacherCache } from "../../../detection/teacher-cache.ts";
import { readRecords } from "../../../pipeline/models/bench.ts";
import { parseRunResult, type RunResult } from "../../../pipeline/result.ts";
import { renderReport } from "../../../report/html.ts";
import { renderRecords } from "../../../report/records.ts";
import { parseHead } from "../../../vision/heads/saved.ts";
import { mutateBytes } from "../bytes.ts";
import { must, textOf, textSeed, type Input, type Kind, type Seed } from "../kind.ts";
import { mutateJson } from "../text.ts";

const runText = readFileSync(new URL("../../fixtures/report/run.json", import.meta.url), "utf8");
const recordsOf = ({ variants }: RunResult) => variants.flatMap(({ latency }) => Object.values(latency));

/** No figure of a page is what is no number, unless the record holds the word. */
const checkPage = (html: string, input: Input): void => {
  const words =
    html
      .replaceAll(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, "")
      .match(/\b(?:NaN|undefined|Infinity)\b|\[object \w+\]/g) ?? [];
  const text = textOf(input);
  const own = words.filter((word) => !text.includes(word));
  must(own.length === 0, `the report shows ${own[0]}`);
};

const sections = [
  { name: "teacher/scores", shape: [2, 21] },
  { name: "teacher/boxes", shape: [4, 21] },
];

const checks: Readonly<Record<string, (input: Input, file: string) => Promise<void> | void>> = {
  "run.json": (input, file) => {
    const result = parseRunResult(textOf(input), file);
    checkPage(renderReport(result, new Map()), input);
    must(
      JSON.stringify(parseRunResult(JSON.stringify(result), file)) === JSON.stringify(result),
      "a run that is written is read back otherwise",
    );
  },
  "bench.json": async (input, file) => {
    const records = await readRecords(file);
    checkPage(renderRecords("bench", records), input);
  },
  "head.json": (input) => {
    const head = parseHead(textOf(input), "model.onnx");
    must(
      JSON.stringify(parseHead(JSON.stringify(head), "model.onnx")) === JSON.stringify(head),
      "a head that is written is read back otherwise",
    );
  },
  "teacher.bin": (_input, file) => {
    const cache = openTeacherCache({ files: [file], sections, pictures: 2 });
    cache.read(0, [0, 1]).view(1);
    cache.close();
  },
};

const base = { classCount: 2, outputNames: ["output0"], size: [64, 64], needsNms: true };
const heads = {
  dense: {
    kind: "dense",
    family: "yolov8",
    ...base,
    channelsFirst: true,
    objectness: false,
    raw: false,
    strides: [8, 16, 32],
  },
};

let made: readonly Seed[] | undefined;

/** Files that the product wrote earlier and reads back: runs, measurements, outputs of teachers. */
export const records: Kind = {
  name: "records",
  about: "run.json (read, shown as the report), benchmark records, saved heads and outputs of teachers",
  share: 60,
  seeds: () =>
    (made ??= [
      textSeed("run.json", runText),
      textSeed("bench.json", JSON.stringify(recordsOf(parseRunResult(runText, "run.json")).slice(0, 2))),
      textSeed("head.json", JSON.stringify(heads.dense)),
      { name: "teacher.bin", bytes: new Uint8Array(2 * 2 * 6 * 21).fill(0x3c) },
    ]),
  mutate: ({ name, bytes }, random) => (name.endsWith(".json") ? mutateJson : mutateBytes)(bytes, random),
  open: async (folder) => {
    await mkdir(folder, { recursive: true });
    return async (input) => {
      const file = join(folder, input.name);
      await writeFile(file, input.bytes);
      await checks[input.name]!(input, file);
    };
  },
};
