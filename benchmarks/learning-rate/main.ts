import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compress, type TrainingPoint } from "../../index.ts";

/** What learning rate suits weights of which origin: the measurement behind the defaults of distill.learningRate. See README.md. */

interface Student {
  readonly name: string;
  readonly origin: "fresh" | "given" | "sliced";
  readonly epochs: number;
  /** Lines of the config but name, seed and distill. */
  readonly config: string;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: ".cache/learning-rate" }, rates: { type: "string", default: "0.0001,0.0003,0.001,0.003" },
    seeds: { type: "string", default: "1" }, only: { type: "string" }, pictures: { type: "string", default: "320" }, epochs: { type: "string" },
  },
});
const root = join(import.meta.dirname, "../..");
const folder = resolve(values.runs);
const assets = join(root, "../shared/assets");
const photos = join(assets, "data/highway");
const scenes = `data:
  generate: { module: ${join(root, "examples/roadscenes/generate.ts")}, dir: ${join(folder, "scenes")}, train: 600, val: 200, seed: 1 }
  classes: [car, truck, pedestrian, cyclist, traffic_light]
input: { size: [320, 192] }`;

const photoData = async (): Promise<string> => {
  const pictures = (await readdir(join(photos, "train/images"))).sort().slice(0, Number(values.pictures)).map((name) => join(photos, "train/images", name));
  const list = join(folder, `train-${values.pictures}.txt`);
  await writeFile(list, pictures.join("\n"));
  const data = join(folder, "photos.yaml");
  await writeFile(data, `train: ${list}\nval: ${join(photos, "val/images")}\nnames: [bus, car, motorbike, person, truck]\n`);
  return `data: { train: ${data}, val: ${data}, classes: [bus, car, motorcycle, person, truck] }\ninput: { size: [256, 256] }`;
};

const students = async (): Promise<Student[]> => {
  const sceneStudents: Student[] = [
    { name: "scenes-spec", origin: "fresh", epochs: 8, config: `${scenes}\nstudent: { arch: yolo, width: 0.125, depth: 0.2, maxChannels: 256, regMax: 6 }` },
    { name: "scenes-sliced", origin: "sliced", epochs: 8, config: `${scenes}\nteacher: { model: ${join(root, "examples/roadscenes/teacher.onnx")} }\nstudent: { from: teacher, macs: 0.3 }` },
  ];
  if (!existsSync(photos)) {
    console.error(`skipped: the real detectors and photos (${assets} is not there)`);
    return sceneStudents;
  }
  const photosOf = await photoData();
  return [
    { name: "yolov8n", origin: "given", epochs: 4, config: `${photosOf}\nstudent: { model: ${join(assets, "models/yolov8n_320.onnx")} }` },
    { name: "yolox-nano", origin: "given", epochs: 4, config: `${photosOf}\nstudent: { model: ${join(assets, "models/yolox_nano_416.onnx")} }` },
    { name: "yolov8n-sliced", origin: "sliced", epochs: 4, config: `${photosOf}\nteacher: { model: ${join(assets, "models/yolov8n_320.onnx")} }\nstudent: { from: teacher, macs: 0.6 }` },
    ...sceneStudents,
  ];
};

/** Labels alone: the rate is a matter of the weights, and no teacher's outputs have to be computed. */
const trained = async (student: Student, rate: number, seed: number): Promise<readonly TrainingPoint[]> => {
  const path = join(folder, `${student.name}-${rate}-${seed}.yaml`);
  await writeFile(path, `name: ${student.name}\nseed: ${seed}\n${student.config}\ntargets: []
distill: { epochs: ${Number(values.epochs ?? student.epochs)}, batch: 16, learningRate: ${rate}, alpha: 0, evaluateEvery: 1, augment: { mosaic: 0.3, scale: 0.3 } }\n`);
  const { result } = await compress(path, { runs: join(folder, "runs"), until: "distill" });
  const report = result.stages.find(({ name }) => name === "distill")!.report as { readonly curves: { readonly baseline: readonly TrainingPoint[] } };
  return report.curves.baseline;
};

await mkdir(folder, { recursive: true });
console.log("| student | weights | rate | seed | mAP by evaluation |\n|---|---|---:|---:|---|");
for (const student of await students()) {
  if (values.only !== undefined && !values.only.split(",").includes(student.name)) continue;
  for (const rate of values.rates.split(",").map(Number)) {
    for (const seed of values.seeds.split(",").map(Number)) {
      const curve = await trained(student, rate, seed);
      const maps = curve.flatMap(({ map }) => (typeof map === "number" ? [(100 * map).toFixed(1)] : []));
      console.log(`| ${student.name} | ${student.origin} | ${rate} | ${seed} | ${maps.join(" ")} |`);
    }
  }
}
