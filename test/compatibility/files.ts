import { join } from "node:path";
import * as assert from "uvu/assert";
import { intsAttribute } from "../../graph/attribute.ts";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { countMacs } from "../../graph/macs.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseGraph } from "../../graph/text.ts";
import { parseModel } from "../../onnx/load.ts";
import { saveModel, serializeModel } from "../../onnx/save.ts";
import { inspectModel } from "../../pipeline/models/inspect.ts";
import { pruneFile } from "../../pipeline/models/prune.ts";
import { preparedGraph } from "../../pipeline/prune/prepare.ts";
import { pruneModel } from "../../pipeline/prune/prune.ts";
import { compareModels, differing, sampleFeeds } from "../../runtime/compare.ts";
import { randomModel } from "../helpers/random-models.ts";
import { seededNumbers } from "../helpers/models.ts";
import { fixture, floats, info, proto, tiny } from "../onnx/models.ts";
import type { Case, Kind } from "./case.ts";

const session = { threads: 1 } as const;
const int64Max = 2n ** 63n - 1n;

/** What ONNX Runtime makes of the bytes is what it makes of the file that is written again. */
const loads = (input: string, bytes: () => Uint8Array): Case => ({
  input,
  gives: "right",
  run: async () => {
    const given = bytes();
    const { graph } = parseModel(given);
    const feeds = sampleFeeds(graph, { seed: 1 });
    assert.equal(differing(await compareModels(given, serializeModel(graph), feeds, { session }), 1e-6), []);
    return "loaded, saved, equal to the given file in ONNX Runtime";
  },
});

/** The pruned file computes what the masked one does; at a share of 1 what the given one does. */
const prunedRight = async (bytes: Uint8Array): Promise<number> => {
  const { graph } = parseModel(bytes);
  const feeds = sampleFeeds(graph, { seed: 1 });
  const whole = await pruneModel(graph, { macs: 1, round: 1 });
  assert.equal(differing(await compareModels(bytes, whole.graph, feeds, { session }), 1e-5), []);
  const { graph: pruned, masked } = await pruneModel(graph, { macs: 0.6, round: 1, minChannels: 2 });
  assert.equal(differing(await compareModels(masked!, serializeModel(pruned), feeds, { session }), 1e-5), []);
  return countMacs(pruned).macs / countMacs(preparedGraph(graph)).macs;
};

const prunes = (input: string, bytes: () => Uint8Array): Case => ({
  input,
  gives: "right",
  run: async () => {
    const share = await prunedRight(bytes());
    assert.ok(share < 0.95, `${share} of the MACs`);
    return `pruned = masked to 1e-5 at ${Math.round(100 * share)} % of the MACs`;
  },
});

/** Three convolutions with `between` behind the first. */
const cut = (opset: number, between: (b: Builder, x: Value) => Value): Uint8Array => {
  const graph = new Graph("cut", opset);
  const b = new Builder(graph, "n");
  let seed = 1;
  const conv = (x: Value, inputs: number, outputs: number): Value => {
    const weight = Tensor.float32([outputs, inputs, 3, 3], seededNumbers(outputs * inputs * 9, seed++, -0.3, 0.3));
    return b.op("Conv", [x, graph.addInitializer(`w${seed}`, weight)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  };
  const x = between(b, b.op("Relu", [conv(graph.addInput("images", "float32", [1, 3, 24, 24]), 3, 24)]));
  graph.outputs.push(conv(b.op("Relu", [conv(x, x.staticShape![1]!, 16)]), 16, 6));
  return serializeModel(graph);
};
const ints = (b: Builder, ...values: bigint[]): Value => b.constant(Tensor.of("int64", [values.length], BigInt64Array.from(values)));
const sliced = (axes: readonly number[], starts: readonly number[]) => (b: Builder, x: Value): Value =>
  b.op("Slice", [x, b.int64s(starts), ints(b, ...starts.map(() => int64Max)), b.int64s(axes)]);
const oldSlice = (axis: number) => (b: Builder, x: Value): Value =>
  b.op("Slice", [x], { axes: [axis], starts: [1], ends: intsAttribute([int64Max]) });
const reversedPads = (b: Builder, x: Value): Value => {
  const rows = b.reshape(b.concat([b.int64s([0, 1, 0, 1]), b.int64s([0, 0, 0, 0])], 0), [-1, 2]);
  const turned = b.op("Slice", [rows, b.int64s([-1]), ints(b, -int64Max), b.int64s([0]), b.int64s([-1])]);
  const pads = b.cast(b.reshape(b.transpose(turned, [1, 0]), [-1]), "int64");
  return b.op("Pad", [x, pads, b.scalar(0)]);
};

const withInputs = (bytes: Uint8Array, irVersion: number): Uint8Array => {
  const model = proto.ModelProto.decode(bytes);
  model.irVersion = irVersion;
  model.graph!.input!.push(...model.graph!.initializer!.map(({ name, dims, dataType }) =>
    proto.ValueInfoProto.fromObject(info(name!, dims!.map(Number), dataType!))));
  return proto.ModelProto.encode(model).finish();
};
const reversedNodes = (bytes: Uint8Array): Uint8Array => {
  const model = proto.ModelProto.decode(bytes);
  model.graph!.node!.reverse();
  return proto.ModelProto.encode(model).finish();
};

const dynamicModel = (): Graph => {
  const graph = parseGraph(`(images: f32[N,3,H,W]) {
    const w1: f32[16,3,3,3] = fill 0.1 const w2: f32[8,16,3,3] = fill 0.1 const a0: i64[1] = [0] const two: i64[1] = [2]
    const four: i64[1] = [4] const s1: f32[4] = [1, 1, 2, 2]
    a = Conv<pads=[1,1,1,1], strides=[2,2]>(images, w1) b = Relu(a) shape = Shape(images) hw = Slice(shape, two, four, a0)
    nc0 = Shape(b) nc = Slice(nc0, a0, two, a0) sizes = Concat<axis=0>(nc, hw)
    up = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(b, _, _, sizes)
    y = Conv<pads=[1,1,1,1]>(up, w2)
  } -> y`);
  for (const [index, { tensor }] of graph.initializers.entries())
    if (tensor?.shape.length === 4) graph.initializers[index]!.tensor = Tensor.float32(tensor.shape, seededNumbers(tensor.size, index + 1, -0.4, 0.4));
  return graph;
};
const dynamic = (input: string, gives: Case["gives"], run: (model: string, folder: string) => Promise<string>): Case => ({
  input,
  gives,
  run: async (folder) => {
    const model = join(folder, "model.onnx");
    await saveModel(dynamicModel(), model);
    return run(model, folder);
  },
});

const randomSeeds = 100;

export const files: Kind = {
  title: "Files: integers, node order, inputs with contents, unsimplified exports, sizes",
  cases: [
    prunes("open-ended Slice of channels (end 2^63 − 1), opset 9", () => cut(9, oldSlice(1))),
    prunes("open-ended Slice of rows, opset 9", () => cut(9, oldSlice(2))),
    prunes("open-ended Slice of two axes, opset 13", () => cut(13, sliced([1, 2], [4, 1]))),
    prunes("open-ended Slice of rows, opset 17", () => cut(17, sliced([2], [1]))),
    prunes("F.pad as torch writes it (pads computed by Concat, Slice, Transpose)", () => cut(17, reversedPads)),
    prunes("initializers among the inputs, IR 3", () => withInputs(cut(9, (_b, x) => x), 3)),
    prunes("initializers among the inputs, IR 4", () => withInputs(cut(11, (_b, x) => x), 4)),
    prunes("node list in reverse order", () => reversedNodes(cut(13, sliced([1], [4])))),
    loads("2^63 − 1 as value_ints", () => tiny({
      initializer: [],
      node: [
        ...[["s", "1"], ["e", String(int64Max)]].map(([name, value]) => ({
          opType: "Constant", input: [], output: [name!],
          attribute: [{ name: "value_ints", type: 7, ints: proto.AttributeProto.fromObject({ ints: [value] }).ints }],
        })),
        { opType: "Slice", input: ["x", "s", "e"], output: ["y"] },
      ],
      output: [info("y", [1])],
    })),
    loads("float16 export, the first Cast last in the node list", () => tiny({
      initializer: [{ name: "w", dataType: 10, dims: [2], int32Data: [0x3c00, 0xbc00] }],
      node: [
        { opType: "Add", name: "add", input: ["half", "w"], output: ["sum"] },
        { opType: "Cast", name: "out", input: ["sum"], output: ["y"], attribute: [{ name: "to", type: 2, i: 1 }] },
        { opType: "Cast", name: "in", input: ["x"], output: ["half"], attribute: [{ name: "to", type: 2, i: 10 }] },
      ],
    })),
    loads("a weight among the inputs, IR 8", () => tiny({ input: [info("x"), info("w")], initializer: [floats("w", [1, -1])] })),
    loads("torch's TorchScript exporter", () => fixture("torchscript.onnx")),
    loads("torch's dynamo exporter", () => fixture("dynamo.onnx")),
    dynamic("dynamic axes, sizes computed from shapes; inspect --size 64x48", "right", async (model) => {
      const { outputs } = await inspectModel(model, { size: [64, 48] });
      assert.equal(outputs[0]!.shape!.slice(-3), [8, 48, 64]);
      return "output 8×48×64";
    }),
    dynamic("dynamic axes, inspect without --size", "INPUT_SIZE", async (model) => JSON.stringify((await inspectModel(model)).outputs)),
    dynamic("dynamic axes; prune --size 64x48", "right", async (model, folder) => {
      const { macs, before } = await pruneFile(model, { out: join(folder, "out.onnx"), macs: 0.6, round: 1, size: [64, 48] });
      assert.ok(macs < 0.7 * before.macs);
      return `${Math.round((100 * macs) / before.macs)} % of the MACs`;
    }),
    {
      input: `${randomSeeds} small graphs from seeds 0 to ${randomSeeds - 1}, opsets 9 to 18`,
      gives: "right",
      isSlow: true,
      run: async () => {
        let fewer = 0;
        for (let seed = 0; seed < randomSeeds; seed++)
          if ((await prunedRight(serializeModel(randomModel(seed).graph))) < 1) fewer++;
        assert.ok(fewer >= 60, `${fewer} lost channels`);
        return `${fewer} lost channels; pruned = masked to 1e-5 on every one`;
      },
    },
  ],
};
