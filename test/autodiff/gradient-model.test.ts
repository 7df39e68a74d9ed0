import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradientModel } from "../../autodiff/gradient-model.ts";
import { whatCannotTrain } from "../../autodiff/trainable.ts";
import { Builder } from "../../graph/builder.ts";
import { UserError } from "../../graph/error.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { loadModel, parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { upgradeOpset } from "../../rewrite/opset.ts";
import { runOnce, type Feeds } from "../../runtime/session.ts";

const classifier = (): Graph => {
  const graph = new Graph("classifier", 17);
  const b = new Builder(graph);
  const x = graph.addInput("x", "float32", ["N", 3]);
  const w = b.constant(Tensor.float32([3, 2], [1, 2, 3, 4, 5, 6]), "w");
  const y = b.matmul(x, w);
  y.name = "y";
  graph.outputs.push(y);
  return graph;
};

test("a loss that is not scalar is summed and keeps its name", async () => {
  const model = gradientModel(classifier(), "y", ["w", "x"]);
  assert.equal(model.outputs.map(({ name }) => name), ["y", "grad/w", "grad/x"]);
  const results = await runOnce(model, { x: Tensor.float32([2, 3], [1, 2, 3, 4, 5, 6]) });
  assert.equal([...results["y"]!.floats], [22 + 28 + 49 + 64]);
  assert.equal([...results["grad/w"]!.floats], [5, 5, 7, 7, 9, 9]);
  assert.equal([...results["grad/x"]!.floats], [3, 7, 11, 3, 7, 11]);
});

test("without names every float initializer that the loss reaches is differentiated", () => {
  assert.equal(gradientModel(classifier(), "y").outputs.map(({ name }) => name), ["y", "grad/w"]);
});

test("the model that was asked about stays as it was", () => {
  const graph = classifier();
  gradientModel(graph, "y");
  assert.equal([graph.nodes.size, graph.outputs.map(({ name }) => name)], [1, ["y"]]);
});

const code = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return "none";
};

test("unknown values, unreached values and old operator sets are refused by name", () => {
  assert.is(code(() => gradientModel(classifier(), "nothing")), "UNKNOWN_VALUE");
  assert.is(code(() => gradientModel(classifier(), "y", ["v"])), "UNKNOWN_VALUE");
  assert.is(code(() => gradientModel(new Graph("old", 12), "y")), "OLD_OPSET");
});

test("whatCannotTrain names the node and the reason", () => {
  const graph = classifier();
  const b = new Builder(graph);
  const rounded = b.op("Round", [graph.outputs[0]!]);
  const odd = graph.addNode({ opType: "NoSuchOp", name: "odd", inputs: [rounded], outputs: ["z"] });
  graph.outputs[0] = b.add(odd.out(), b.op("Round", [graph.inputs[0]!]));
  odd.out().dtype = "float32";
  assert.equal(whatCannotTrain(graph).map(({ node, opType }) => [opType, node]), [["NoSuchOp", "odd"], ["Round", graph.outputs[0].producer!.in(1).producer!.name]]);
});

const asset = (path: string): string => fileURLToPath(new URL(`../../../shared/assets/${path}`, import.meta.url));

/** Moves one initializer along a fixed random direction: the slope of the loss must equal <gradient, direction>. */
const checkDirections = async (graph: Graph, lossName: string, names: readonly string[], feeds: Feeds, step: number, tolerance: number): Promise<void> => {
  const gradients = await runOnce(parseModel(serializeModel(gradientModel(graph, lossName, names))).graph, feeds, { threads: 2 });
  for (const [index, name] of names.entries()) {
    const gradient = gradients[`grad/${name}`]!.floats;
    const generator = xoroshiro128plus(index + 1);
    const direction = Float32Array.from(gradient, () => ((generator.next() >>> 0) / 2 ** 31) - 1);
    const lossAt = async (amount: number): Promise<number> => {
      const copy = graph.clone();
      const weight = copy.initializers.find((value) => value.name === name)!;
      weight.tensor = Tensor.float32(weight.tensor!.shape, weight.tensor!.floats.map((value, i) => value + amount * direction[i]!));
      copy.outputs.splice(0, copy.outputs.length, copy.find(lossName)!);
      return (await runOnce(copy, feeds, { threads: 2 }))[lossName]!.floats.reduce((sum, value) => sum + value, 0);
    };
    const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
    const analytic = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
    assert.ok(Math.abs(numeric - analytic) <= tolerance * Math.max(Math.abs(numeric), Math.abs(analytic)), `${name}: ${analytic}, finite differences ${numeric}`);
  }
};

/** The logits with unequal weights, so that no symmetry hides an error. */
const weighted = (graph: Graph): Graph => {
  const b = new Builder(graph, "loss");
  const loss = b.mul(graph.outputs[0]!, b.constant(Tensor.float32([1, 2], [1, -0.5])));
  loss.name = "loss";
  return graph;
};

/** A test that says so where the development assets are absent. */
const withAsset = (name: string, path: string, run: (file: string) => Promise<void>): void => {
  const file = asset(path);
  if (existsSync(file)) test(name, () => run(file));
  else test.skip(`${name} (skipped: ${path} is absent)`, () => undefined);
};

withAsset("gradients of YOLOv8n weights match finite differences", "models/yolov8n_320.onnx", async (file) => {
  const { graph } = upgradeOpset((await loadModel(file)).graph);
  assert.equal(whatCannotTrain(graph), []);
  const lossName = graph.outputs[0]!.producer!.in(1).producer!.in(0).name; // class logits
  const generator = xoroshiro128plus(3);
  const images = Tensor.float32([1, 3, 320, 320], Float32Array.from({ length: 3 * 320 * 320 }, () => (generator.next() >>> 0) / 2 ** 32));
  const head = ["model.9.cv1", "model.12.cv2", "model.15.cv1", "model.22.cv3.2.0"].map((layer) => `${layer}.conv.weight`);
  await checkDirections(graph, lossName, head, { images }, 1e-4, 5e-3);
  // Finite differences through the pools of model.9 jump wherever a maximum changes hands; the layers before it get a loss before it.
  const beforePools = graph.initializers.find(({ name }) => name === "model.7.conv.weight")!.readers[0]!.out().name;
  await checkDirections(graph, beforePools, ["model.0.conv.weight", "model.2.cv1.conv.weight", "model.6.m.0.cv1.conv.weight"], { images }, 1e-3, 1e-2);
});

withAsset("gradients of a BERT match finite differences", "text/bert-mini-sst2/model.onnx", async (file) => {
  const { graph } = upgradeOpset((await loadModel(file)).graph);
  assert.equal(whatCannotTrain(graph), []);
  const ids = [101, 2023, 2003, 1037, 2204, 2143, 102, 0].map((id) => id % 8000);
  const row = (values: readonly number[]): Tensor => Tensor.int64([1, values.length], values);
  const feeds = { input_ids: row(ids), attention_mask: row([1, 1, 1, 1, 1, 1, 1, 0]), token_type_ids: row(ids.map(() => 0)) };
  const names = ["c.bert.embeddings.word_embeddings.weight", "c.bert.embeddings.LayerNorm.weight", "onnx::MatMul_520", "c.bert.encoder.layer.0.attention.self.value.bias",
    "onnx::MatMul_531", "c.bert.encoder.layer.3.output.dense.bias", "c.classifier.weight"];
  await checkDirections(weighted(graph), "loss", names, feeds, 1e-2, 3e-2);
});

test.run();
