/*
 * Trains the teacher of the road-scenes example with the engine of this repository. The committed teacher was made in two runs (train.log):
 *   npx tsx examples/roadscenes/teacher/train.ts --out runs/teacher-1                    # of 18 epochs; stopped after 6
 *   npx tsx examples/roadscenes/teacher/train.ts --out runs/teacher-2 --from runs/teacher-1/last.onnx --epochs 5 --rate 0.0012
 * Stops and goes on at any time; prints one line per epoch.
 */
import { mkdir, appendFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeDetector, writeContract } from "../../../detection/detector.ts";
import { evaluateDetector } from "../../../detection/evaluate.ts";
import { trainDetector } from "../../../detection/train.ts";
import { loadModel } from "../../../onnx/load.ts";
import { saveModel } from "../../../onnx/save.ts";
import { points } from "../../../report/figures.ts";
import { foldBatchNorm } from "../../../rewrite/batchnorm.ts";
import { writeClassNames } from "../../../students/metadata.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { openDataset } from "../../../vision/datasets/open.ts";
import { preprocessPreset } from "../../../vision/preprocess.ts";
import { generateRoadscenes } from "../generate.ts";
import { classes } from "../sprite.ts";

const { values } = parseArgs({ options: {
  out: { type: "string", default: "runs/roadscenes-teacher" },
  epochs: { type: "string", default: "18" },
  images: { type: "string", default: "2400" },
  rate: { type: "string", default: "0.002" },
  from: { type: "string" },
} });

const size = [320, 192] as const;
const seed = 7; // pictures of the demo come from another seed: the teacher has seen none of them
const epochs = Number(values.epochs);
await mkdir(values.out, { recursive: true });
const data = await generateRoadscenes({ dir: join(values.out, "data"), train: Number(values.images), val: 250, seed });
const train = await openDataset({ path: data.train, images: data.images }, { classes });
const val = await openDataset({ path: data.val, images: data.images }, { classes });
const contract = preprocessPreset("yolov8", size);
const student = values.from ? (await loadModel(values.from)).graph : yoloStudent({ classes, size, width: 0.25, depth: 0.33, maxChannels: 512, regMax: 8, activation: "silu", seed });
writeClassNames(student, classes);
writeContract(student, contract, "yolov8");

const log = async (line: string): Promise<void> => {
  console.log(line);
  await appendFile(join(values.out, "train.log"), `${line}\n`);
};

const evaluate = async (graph: typeof student) => (await evaluateDetector(await describeDetector(graph, "teacher"), val.items, classes)).accuracy;
const result = await trainDetector({
  student, family: "yolov8", epochs, learningRate: Number(values.rate), warmupEpochs: values.from ? 0.2 : 1,
  batches: {
    items: train.items.map(({ path, boxes }) => ({ path, boxes })), contract, classCount: classes.length, batch: 16, seed, assignment: "atss",
    plan: { epochs, count: 0 }, augment: { mosaic: 0.4, scale: 0.35, translate: 0.1 },
  },
}, {
  checkpointPath: join(values.out, "checkpoint.bin"),
  onStep: (report) => { if (report.step % 50 === 0) console.error(`step ${report.step}/${report.totalSteps} loss ${report.loss.toFixed(3)} ${(report.seconds * 1000).toFixed(0)} ms`); },
  onEpoch: async (record, deployed) => {
    const metrics = Object.entries(record.metrics).map(([name, value]) => `${name} ${value.toFixed(3)}`).join(" ");
    const graph = deployed();
    await saveModel(graph, join(values.out, "last.onnx"));
    const accuracy = record.epoch % 3 === 0 ? await evaluate(graph) : undefined;
    await log(`epoch ${record.epoch}/${epochs} loss ${record.loss.toFixed(3)} ${metrics} lr ${record.learningRate.toExponential(2)} ${record.seconds.toFixed(0)} s` +
      (accuracy ? ` mAP ${points(accuracy.map)} mAP50 ${points(accuracy.map50)}` : ""));
  },
});
const { graph } = foldBatchNorm(result.graph);
const { map, map50, perClass } = await evaluate(graph);
await saveModel(graph, join(values.out, "teacher.onnx"));
await log(`teacher mAP ${points(map)} mAP50 ${points(map50)} ${perClass.map((row) => `${row.class} ${points(row.map)}`).join(" ")}`);
