import { test } from "uvu";
import * as assert from "uvu/assert";
import { trainableParameters } from "../../../detection/objective.ts";
import { Builder } from "../../../graph/builder.ts";
import type { Graph } from "../../../graph/graph.ts";
import type { Tensor } from "../../../graph/tensor.ts";
import { emitCpu } from "../../../pipeline/quantize/cpu.ts";
import { prepareForQuantization } from "../../../pipeline/quantize/prepare.ts";
import { fakeQuantized, removeFakeQuantization } from "../../../pipeline/quantize/qat.ts";
import { sqnrDb } from "../../../pipeline/quantize/sensitivity.ts";
import { exactCpuSession, int8TensorrtSession } from "../../../pipeline/quantize/sessions.ts";
import { emitTensorrt } from "../../../pipeline/quantize/tensorrt.ts";
import { runOnce } from "../../../runtime/session.ts";
import { inProcessSource } from "../../../training/batches.ts";
import { writeTensors } from "../../../training/finish.ts";
import { adamw } from "../../../training/options.ts";
import { train } from "../../../training/train.ts";
import { examples, Net, nodesOf, rangesFor, shape } from "./nets.ts";

const emitters = { cpu: emitCpu, tensorrt: emitTensorrt } as const;

/** Four layers with a residual. */
const network = (): Graph => {
  const net = new Net();
  const { b, graph } = net;
  const h = b.op("Relu", [net.conv(graph.addInput("x", "float32", shape))]);
  const deep = b.add(h, b.op("Relu", [net.conv(b.op("Relu", [net.conv(h)]))]));
  graph.outputs.push(net.conv(deep, 8, 1));
  graph.outputs[0]!.name = "y";
  return prepareForQuantization(graph);
};

const prepared = network();
const ranges = await rangesFor(prepared);
const float = await Promise.all(examples.map(async (feeds) => (await runOnce(prepared, feeds))["y"]!));
const none = { floatNodes: new Set<string>() };

/** Mean squared distance to the float network's outputs: all of it is rounding. */
const problemOf = (student: Graph) => {
  const graph = student.clone();
  const b = new Builder(graph, "loss");
  const difference = b.sub(graph.outputs[0]!, graph.addInput("target", "float32", graph.outputs[0]!.shape!));
  const loss = b.mean(b.mul(difference, difference), undefined, false);
  graph.outputs.splice(0, 1, loss);
  return { graph, loss, metrics: new Map(), parameters: trainableParameters(graph) };
};

const trained = async (student: Graph): Promise<{ graph: Graph; losses: number[] }> => {
  const losses: number[] = [];
  const source = inProcessSource(examples.length, (_epoch, index) => ({ ...examples[index]!, target: float[index]! }));
  const { tensors } = await train(problemOf(student), source, {
    epochs: 79, optimizer: adamw({ learningRate: 1e-3, weightDecay: 0 }), schedule: { kind: "cosine", warmupSteps: 3, finalRatio: 0.05 }, threads: 1,
  }, { onStep: ({ loss }) => losses.push(loss) });
  const graph = student.clone();
  writeTensors(graph, tensors);
  return { graph, losses };
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const distance = (found: readonly Tensor[]): number => sqnrDb(float, found);
const outputs = (graph: Graph, session: object): Promise<Tensor[]> => Promise.all(examples.map(async (feeds) => (await runOnce(graph, feeds, { threads: 1, ...session }))["y"]!));
const activationScales = (graph: Graph): number[] => nodesOf(graph, "QuantizeLinear").filter((node) => !node.in(0).tensor).map((node) => node.in(1).tensor!.floats[0]!);

for (const scheme of ["cpu", "tensorrt"] as const) {
  test(`${scheme}: training with int8 rounding brings the int8 file nearer to the float model`, async () => {
    const student = fakeQuantized(prepared, ranges, scheme, none);
    assert.equal(trainableParameters(student).map(({ name }) => name).sort(), trainableParameters(prepared).map(({ name }) => name).sort());
    const { graph, losses } = await trained(student);
    assert.ok(mean(losses.slice(-9)) < 0.7 * mean(losses.slice(0, 3)), `${mean(losses.slice(0, 3))} to ${mean(losses.slice(-9))}`);
    assert.equal(activationScales(graph), activationScales(student));
    const before = emitters[scheme](prepared, ranges, none).graph;
    const after = emitters[scheme](removeFakeQuantization(graph), ranges, { ...none, halfWeights: true }).graph;
    const simulated = await outputs(graph, int8TensorrtSession);
    assert.ok(sqnrDb(simulated, await outputs(after, int8TensorrtSession)) > 60, "the file is what was trained");
    const session = scheme === "cpu" ? exactCpuSession("uint8") : int8TensorrtSession;
    const [calibrated, better] = [distance(await outputs(before, session)), distance(await outputs(after, session))];
    assert.ok(better > calibrated + 0.5, `${calibrated.toFixed(1)} dB to ${better.toFixed(1)} dB`);
  });
}

test("scales of weights follow the weights, as the file's will", () => {
  const student = fakeQuantized(prepared, ranges, "cpu", none);
  const pairs = nodesOf(student, "QuantizeLinear").filter((node) => node.in(0).tensor);
  assert.is(pairs.length, 4);
  for (const node of pairs) {
    assert.is(node.in(1).tensor, undefined);
    assert.is(node.out().readers[0]!.in(1), node.in(1));
  }
});

test.run();
