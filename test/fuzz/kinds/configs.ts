import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import { loadConfig } from "../../../pipeline/config.ts";
import { readInventory } from "../../../targets/inventory.ts";
import { parsePreprocess, preprocessPreset, serializePreprocess } from "../../../vision/index.ts";
import { must, textOf, textSeed, type Input, type Kind, type Seed } from "../kind.ts";
import { mutateJson, mutateText } from "../text.ts";

const full = `name: road
seed: 5
data: {train: data/train.json, val: data/val.json, test: data/val.json, images: data/images, classes: [car, dog], slices: {night: night.txt}}
input: {size: [96, 64]}
teacher: {model: teacher.onnx}
student: {arch: yolo, width: 0.125, depth: 0.33}
distill: {epochs: 2, batch: 6, variants: 1, distribution: false, baseline: false, evaluateEvery: 0}
prune:
  macs: 0.7
  criterion: l2
  recover: {epochs: 1}
quantize: {images: 4, maxDrop: 1, qat: {epochs: 1}}
benchmark: {seconds: 0.2}
targets:
  - local
  - {name: pi5, kind: rpi, host: pi@pi5.local, port: 22}
gates: {mapDrop: 1, sizeRatio: 0.5}
requirements: [{id: R1, metric: map, limit: 0.5}, {id: R2, metric: ap.car, limit: 0.9, slice: night}]
bundle: {limits: [not for fog]}
report: {pictures: 1}
`;
const short =
  "name: short\ndata: {train: data/train.json, val: data/val.json}\nteacher: &t {model: teacher.onnx}\ndistill: {epochs: 1}\n";
const inventory =
  "targets:\n  - {name: pi5, kind: rpi, host: pi@pi5.local}\n  - {name: orin, kind: jetson, host: orin, threads: 4}\n  - {name: box, kind: linux, host: me@box}\n";

const checks: Readonly<Record<string, (file: string, input: Input) => Promise<void>>> = {
  full: (file) => checkConfig(file),
  short: (file) => checkConfig(file),
  inventory: async (file) => {
    const entries = await readInventory(file);
    await writeFile(file, stringify({ targets: entries }));
    must(isDeepStrictEqual(await readInventory(file), entries), "an inventory that is written is read back otherwise");
  },
  preprocess: (file, input) => {
    const contract = parsePreprocess(textOf(input), file);
    must(
      contract.size.every((n) => Number.isInteger(n) && n > 0) && contract.std.every((n) => n > 0),
      "a contract with impossible numbers",
    );
    must(
      isDeepStrictEqual(parsePreprocess(serializePreprocess(contract), file), contract),
      "a contract that is written is read back otherwise",
    );
    return Promise.resolve();
  },
};

/** What a config is read as, written down in full, is read as the same. */
const checkConfig = async (file: string): Promise<void> => {
  const { config } = await loadConfig(file);
  await writeFile(file, JSON.stringify(config));
  must(
    isDeepStrictEqual((await loadConfig(file)).config, JSON.parse(JSON.stringify(config)) as unknown),
    "a config that is written out is read back otherwise",
  );
};

export const configs: Kind = {
  name: "configs",
  about: "configs, targets.yaml and preprocess contracts: read; what is read is written out and read to the same",
  share: 150,
  seeds: (): readonly Seed[] => [
    textSeed("full", full),
    textSeed("short", short),
    textSeed("inventory", inventory),
    textSeed("preprocess", serializePreprocess(preprocessPreset("yolov8", [64, 64]))),
  ],
  mutate: ({ name, bytes }, random) => (name === "preprocess" ? mutateJson : mutateText)(bytes, random),
  open: async (folder) => {
    await mkdir(join(folder, "data", "images"), { recursive: true });
    for (const name of ["data/train.json", "data/val.json", "teacher.onnx", "night.txt"])
      await writeFile(join(folder, name), "");
    return async (input) => {
      const file = join(folder, `${input.name}.yaml`);
      await writeFile(file, input.bytes);
      await checks[input.name]!(file, input);
    };
  },
};
