import { test } from "uvu";
import * as assert from "uvu/assert";
import { backward } from "../../autodiff/backward.ts";
import { canonicalDetector, headValues } from "../../detection/canonical.ts";
import { detectionObjective, type ObjectiveOptions } from "../../detection/objective.ts";
import { Builder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { runOnce, openSession } from "../../runtime/session.ts";
import { yoloxOutput, type HeadLevel } from "../../students/tail.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { seededNumbers } from "../helpers/models.ts";
import { assignAtss } from "../../detection/assign.ts";
import { anchorLevels } from "../../detection/anchors.ts";
import { cutHead } from "../../detection/canonical.ts";

const size = [64, 64] as const;
const anchors = 64 + 16 + 4;
const classes = ["a", "b"];
const regMax = 8;
const student = (): Graph => yoloStudent({ classes, size, width: 0.125, depth: 0.33, activation: "silu", regMax, seed: 5 });

/** The v8 student's box branch cut to four channels, an objectness per level from its class logits: a YOLOX head. */
const yoloxStudent = (): Graph => {
  const graph = student();
  const cut = cutHead(graph, "yolov8");
  const b = new Builder(graph, "x");
  const bare = (of: HeadLevel["box"], channels: number, seed: number) =>
    b.op("Conv", [of.producer!.in(0), b.graph.addInitializer(`x.${of.name}.${channels}`, Tensor.float32([channels, Number(of.producer!.in(0).shape![1]), 1, 1], seededNumbers(channels * Number(of.producer!.in(0).shape![1]), seed, -0.2, 0.2)))], { kernel_shape: [1, 1] });
  const levels = cut.levels.map(({ box, classes: logits }, i): HeadLevel => ({ box: bare(box, 4, i + 1), object: bare(box, 1, i + 9), classes: logits }));
  const output = yoloxOutput(b, levels);
  graph.outputs.splice(0, 1, output);
  return canonicalDetector(graph, "yolox");
};

const feeds = (options: { readonly teacher: boolean }): Record<string, Tensor> => {
  const box = [12.5, 9.25, 30, 26] as const;
  const owners = assignAtss([box], anchorLevels(size));
  const one = (shape: readonly number[], at: (i: number) => number) => Tensor.float32(shape, Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => at(i)));
  const isPositive = (anchor: number): number => Number(owners[anchor] === 0);
  const edges = [box[0], box[1], box[0] + box[2], box[1] + box[3]];
  const r = seededNumbers(4 * regMax * anchors, 8);
  return {
    images: Tensor.float32([1, 3, 64, 64], seededNumbers(3 * 64 * 64)),
    "hard/classes": one([1, 2, anchors], (i) => (i < anchors ? 0 : isPositive(i - anchors))),
    "hard/boxes": one([1, 4, anchors], (i) => edges[Math.floor(i / anchors)]! * isPositive(i % anchors)),
    "hard/weights": one([1, 1, anchors], isPositive), "hard/labelled": Tensor.float32([1, 1, 1], [1]),
    ...(options.teacher && {
      "teacher/scores": one([1, 2, anchors], (i) => 0.02 + 0.9 * isPositive(i % anchors) * r[i]!), "teacher/boxes": one([1, 4, anchors], (i) => edges[Math.floor(i / anchors)]! + 3 * r[i]!),
      "teacher/distribution": one([1, 4, regMax, anchors], (i) => 2 * r[i]! - 1),
    }),
  };
};
const sections = [{ name: "teacher/scores", shape: [2, anchors] }, { name: "teacher/boxes", shape: [4, anchors] }, { name: "teacher/distribution", shape: [4, regMax, anchors] }];

const only = (graph: Graph, all: Record<string, Tensor>) => Object.fromEntries(graph.inputs.map(({ name }) => [name, all[name]!]));
const metricsOf = async (graph: Graph, options: ObjectiveOptions): Promise<Record<string, number>> => {
  const problem = detectionObjective(graph, options);
  const result = await runOnce(problem.graph, only(problem.graph, feeds({ teacher: true })), { threads: 1 });
  return { loss: result[problem.loss.name]!.floats[0]!, ...Object.fromEntries([...problem.metrics].map(([name, value]) => [name, result[value.name]!.floats[0]!])) };
};

for (const [name, make, options] of [
  ["v8, hard and soft", student, { family: "yolov8", classCount: 2, teacher: { sections }, temperature: 2, alpha: 0.5 }],
  ["YOLOX, hard and soft", yoloxStudent, { family: "yolox", classCount: 2, teacher: { sections: sections.slice(0, 2) }, alpha: 0.5 }],
] as const satisfies readonly (readonly [string, () => Graph, ObjectiveOptions])[]) test(`${name}: the gradient of the loss equals finite differences`, async () => {
  const problem = detectionObjective(make(), options);
  // The last convolutions' biases: downstream of them there is only the head and the loss. The quality of a hard label is a constant for the gradient, so its loss is left out by labels of weight 0.
  const parameters = problem.parameters.filter((value) => /^model\.22\.cv[23]\.\d\.2\.bias$|^x\./.test(value.name) && value.tensor!.size <= 96);
  assert.ok(parameters.length >= 3);
  const { graph } = problem;
  const given = only(graph, feeds({ teacher: true }));
  given["hard/labelled"] = Tensor.float32([1, 1, 1], [0]);
  const asInputs = (copy: Graph, of: typeof problem) => of.parameters.filter((value) => parameters.some((p) => p.name === value.name)).map((value) => {
    const input = copy.addInput(`p/${value.name}`, "float32", value.tensor!.shape);
    copy.replaceAllUses(value, input);
    return input;
  });
  const inputs = asInputs(graph, problem);
  const b = new Builder(graph, "grad");
  const gradients = backward(b, problem.loss, inputs);
  graph.outputs.splice(0, graph.outputs.length, problem.loss, ...inputs.map((input) => gradients.get(input)!));
  const names = graph.outputs.map((output) => output.name);
  const session = await openSession(graph, { threads: 1 });
  const weights = Object.fromEntries(inputs.map((input, i) => [input.name, Tensor.float32(parameters[i]!.tensor!.shape, parameters[i]!.tensor!.floats)]));
  const at = await session.run({ ...given, ...weights });
  for (const [i, input] of inputs.entries()) {
    const analytic = at[names[i + 1]!]!.floats;
    const scale = Math.max(0.05, ...analytic.map(Math.abs));
    for (const index of [0, Math.floor(analytic.length / 2), analytic.length - 1]) {
      const step = 5e-3;
      const loss = async (delta: number) => {
        const values = Float32Array.from(weights[input.name]!.floats);
        values[index]! += delta;
        return (await session.run({ ...given, ...weights, [input.name]: Tensor.float32(weights[input.name]!.shape, values) }, [names[0]!]))[names[0]!]!.floats[0]!;
      };
      const numeric = (await loss(step) - await loss(-step)) / (2 * step);
      assert.ok(Math.abs(numeric - analytic[index]!) <= 2e-2 * scale, `${input.name}[${index}]: ${analytic[index]}, numerically ${numeric}`);
    }
  }
  await session.close();
});

test("alpha 0 asks for no teacher, alpha 1 for no labels, between them the loss is the blend", async () => {
  const base: ObjectiveOptions = { family: "yolov8", classCount: 2, teacher: { sections } };
  const [hard, both, soft] = [await metricsOf(student(), { ...base, alpha: 0 }), await metricsOf(student(), { ...base, alpha: 0.25 }), await metricsOf(student(), { ...base, alpha: 1 })];
  assert.ok(Object.keys(hard).every((name) => !name.startsWith("soft")));
  assert.ok(Object.keys(soft).every((name) => !name.startsWith("hard")));
  assert.ok(Math.abs(both["loss"]! - (0.75 * hard["loss"]! + 0.25 * soft["loss"]!)) < 1e-3 * both["loss"]!);
  const problem = detectionObjective(student(), { ...base, alpha: 1 });
  assert.not.ok(problem.graph.inputs.some(({ name }) => name.startsWith("hard/")));
});

for (const [family, make] of [["yolov8", student], ["yolox", yoloxStudent]] as const) test(`a ${family} teacher that says what the student says costs nothing`, async () => {
  const graph = make();
  const copy = graph.clone();
  const b = new Builder(copy, "t");
  const head = headValues(b, cutHead(copy, family));
  const classScores = b.sigmoid(head.classLogits);
  const scores = head.objectLogits ? b.mul(classScores, b.sigmoid(head.objectLogits)) : classScores;
  copy.outputs.splice(0, 1, scores, head.boxes, ...(head.distribution ? [head.distribution] : []));
  const all = feeds({ teacher: true });
  const [s, boxes, distribution] = Object.values(await runOnce(copy, { images: all["images"]! }, { threads: 1 }));
  const at = (row: number, anchor: number): number => boxes!.floats[row * anchors + anchor]!;
  const corners = Float32Array.from({ length: 4 * anchors }, (_, i) => {
    const [row, anchor] = [Math.floor(i / anchors), i % anchors];
    return at(row % 2, anchor) + (row < 2 ? -0.5 : 0.5) * at(2 + (row % 2), anchor);
  });
  const problem = detectionObjective(graph, { family, classCount: 2, teacher: { sections: distribution ? sections : sections.slice(0, 2) }, alpha: 1 });
  const given = { ...all, "teacher/scores": s!, "teacher/boxes": Tensor.float32([1, 4, anchors], corners), ...(distribution && { "teacher/distribution": distribution }) };
  const loss = (await runOnce(problem.graph, only(problem.graph, given), { threads: 1 }))[problem.loss.name]!.floats[0]!;
  assert.ok(Math.abs(loss) < 1e-3, `${loss}`);
});

test("what is frozen is no parameter; nothing else is left out", () => {
  const base: ObjectiveOptions = { family: "yolov8", classCount: 2 };
  const names = (options: ObjectiveOptions) => detectionObjective(student(), options).parameters.map(({ name }) => name);
  const all = names(base);
  assert.equal(all.filter((name) => /running/.test(name)), []);
  assert.equal(names({ ...base, frozen: (name) => name.startsWith("model.22") }), all.filter((name) => !name.startsWith("model.22")));
});

test.run();
