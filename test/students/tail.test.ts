import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { runOnce } from "../../runtime/session.ts";
import { anchorPoints, v8Dense, v8Output, yoloxDense, yoloxOutput, type HeadLevel } from "../../students/tail.ts";

interface Expected {
  readonly size: [number, number];
  readonly regMax: number;
  readonly classes: number;
  readonly levels: readonly { readonly grid: [number, number]; readonly box: number[]; readonly cls: number[]; readonly raw: number[] }[];
  readonly v8: number[];
  readonly yolox: number[];
}
const expected = JSON.parse(readFileSync(new URL("../fixtures/detect-tail/expected.json", import.meta.url), "utf8")) as Expected;

/** Constants of the fixture (in 1/64) as the last convolutions' outputs. */
const headOf = (b: Builder, boxes: "box" | "raw"): HeadLevel[] =>
  expected.levels.map(({ grid: [h, w], cls, ...level }, index) => {
    const input = (name: string, values: readonly number[]) => b.graph.addInitializer(`${name}${index}`, Tensor.float32([1, values.length / (h * w), h, w], values.map((v) => v / 64)));
    return { box: input("box", level[boxes]), classes: input("cls", cls), object: input("obj", cls.slice(0, h * w)) };
  });

const run = async (build: (b: Builder) => Record<string, ReturnType<Builder["op"]>>): Promise<Record<string, Tensor>> => {
  const graph = new Graph("tail", 17);
  const b = new Builder(graph, "tail");
  for (const [name, value] of Object.entries(build(b))) {
    value.name = name;
    graph.outputs.push(value);
  }
  return runOnce(graph, {}, { threads: 1, optimization: "disabled" });
};

const close = (actual: ArrayLike<number>, values: readonly number[]): void => {
  assert.is(actual.length, values.length);
  for (const [i, value] of values.entries()) assert.ok(Math.abs(actual[i]! - value) <= 2e-4 + 1e-6 * Math.abs(value), `[${i}] is ${actual[i]}, expected ${value}`);
};

test("YOLOv8's tail equals the PyTorch reference: DFL, boxes from distances, probabilities, anchor order", async () => {
  const { y } = await run((b) => ({ y: v8Output(b, v8Dense(b, headOf(b, "box"), expected.size)) }));
  assert.equal(y!.shape, [1, 4 + expected.classes, expected.v8.length / (4 + expected.classes)]);
  close(y!.floats, expected.v8);
});

test("YOLOX's boxes equal the PyTorch reference; its raw output is undecoded", async () => {
  const { boxes, raw } = await run((b) => ({ boxes: yoloxDense(b, headOf(b, "raw"), expected.size).boxes, raw: yoloxOutput(b, headOf(b, "raw")) }));
  close(boxes!.floats, expected.yolox);
  const anchors = expected.yolox.length / 4;
  assert.equal(raw!.shape, [1, anchors, 5 + expected.classes]);
  const { raw: first, cls, grid: [h, w] } = expected.levels[0]!;
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  close(raw!.floats.subarray(0, 7), [...[0, 1, 2, 3].map((row) => first[row * h * w]! / 64), sigmoid(cls[0]! / 64), sigmoid(cls[0]! / 64), sigmoid(cls[h * w]! / 64)]);
});

test("anchor points: centres of cells, x row then y row, with the stride of each", () => {
  const { points, strideRow } = anchorPoints([64, 32]);
  assert.is(strideRow.length, 32 + 8 + 2);
  assert.equal([...points.slice(0, 9)], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 0.5]);
  assert.equal([...points.slice(-2)], [0.5, 0.5]);
  assert.equal([strideRow[0], strideRow[32], strideRow[41]], [8, 16, 32]);
});

test.run();
