import { writeFile } from "node:fs/promises";
import { parseGraph } from "../../graph/text.ts";
import { serializeModel } from "../../onnx/save.ts";

/** A model that looks like a detector and never ends: its loop's condition depends on the picture, so that the graph does not tell. */
export const writeEndlessModel = (path: string): Promise<void> => writeFile(path, serializeModel(parseGraph(endlessText)));

const endlessText = `(images: f32[1,3,64,64]) {
  const big: f32[] = [1e30]
  const zero: f32[] = [0]
  const base: f32[1,6,84] = [${Array.from({ length: 6 * 84 }, () => 0.1).join(", ")}]
  sum = ReduceSum<keepdims=0>(images)
  start = Less(sum, big)
  last = Loop<body=graph body (i: i64[], c: bool[], v: f32[]) { on = Less(v, big) next = Identity(v) } -> (on, next)>(_, start, sum)
  nothing = Mul(last, zero)
  output0 = Add(base, nothing)
} -> output0`;
