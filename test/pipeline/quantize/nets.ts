import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder } from "../../../graph/builder.ts";
import { Graph } from "../../../graph/graph.ts";
import type { Node, Value } from "../../../graph/node.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { loadModel } from "../../../onnx/load.ts";
import { collectStatistics, rangesOf } from "../../../pipeline/quantize/calibrate.ts";
import { observedValues } from "../../../pipeline/quantize/observe.ts";
import { prepareForQuantization } from "../../../pipeline/quantize/prepare.ts";
import type { RangeTable } from "../../../pipeline/quantize/ranges.ts";
import { openSession, type Feeds, type SessionOptions } from "../../../runtime/session.ts";
import { seededNumbers } from "../../helpers/models.ts";

export const channels = 16;
export const shape = [1, channels, 8, 8];

/** Builds small nets with seeded weights. */
export class Net {
  readonly graph = new Graph("net", 17);
  readonly b = new Builder(this.graph, "net");
  #seed = 1;

  weight(...dims: readonly number[]): Value {
    return this.graph.addInitializer(`w${this.#seed}`, Tensor.float32(dims, seededNumbers(dims.reduce((n, d) => n * d, 1), this.#seed++, -0.4, 0.4)));
  }

  conv(x: Value, outputs = channels, kernel = 3, group = 1): Value {
    const inputs = (x.staticShape?.[1] ?? channels) / group;
    return this.b.op("Conv", [x, this.weight(outputs, inputs, kernel, kernel), this.weight(outputs)], { kernel_shape: [kernel, kernel], pads: new Array<number>(4).fill((kernel - 1) / 2), group });
  }
}

/** `body` between a graph input x [1, 16, 8, 8] and the output, as it comes out of `prepareForQuantization`. */
export const netOf = (body: (net: Net, x: Value) => Value | readonly Value[]): Graph => {
  const net = new Net();
  const made = body(net, net.graph.addInput("x", "float32", shape));
  net.graph.outputs.push(...[made].flat());
  return prepareForQuantization(net.graph);
};

export const examples: readonly Feeds[] = [1, 2, 3].map((seed) => ({ x: Tensor.float32(shape, seededNumbers(channels * 64, 100 + seed, -1, 1)) }));

export const rangesOn = async (graph: Graph, feeds: readonly Feeds[]): Promise<RangeTable> =>
  rangesOf(await collectStatistics(graph, observedValues(graph, new Set()), feeds, { threads: 1 }), "minmax");

export const rangesFor = (graph: Graph): Promise<RangeTable> => rangesOn(graph, examples);

/** How often each op occurs in the graph as ONNX Runtime has optimised it. */
export const optimizedOps = async (graph: Graph, options: SessionOptions): Promise<ReadonlyMap<string, number>> => {
  const folder = mkdtempSync(join(tmpdir(), "edgestill-"));
  try {
    const path = join(folder, "optimized.onnx");
    await (await openSession(graph, { threads: 1, ...options, optimizedModelPath: path })).close();
    return countOps((await loadModel(path)).graph);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export const countOps = (graph: Graph): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { opType } of graph.nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
};

export const nodesOf = (graph: Graph, opType: string): Node[] => graph.sorted().filter((node) => node.opType === opType);

/** The value that a Q/DQ pair in front of the input stands behind; undefined where there is none. */
export const behindPair = (value: Value): Value | undefined => {
  const quantize = value.producer?.opType === "DequantizeLinear" ? value.producer.in(0).producer : undefined;
  return quantize?.opType === "QuantizeLinear" ? quantize.in(0) : undefined;
};
