import { UserError } from "../graph/error.ts";
import { elementCount, Tensor } from "../graph/tensor.ts";
import type { Feeds, Session } from "../runtime/file-session.ts";

/** Side of a dynamic picture axis. */
const dynamicSide = 320;

/** One tensor per input, the same on every machine: a fixed pattern in 0..1 (integers: 0). Throws UserError BATCH_FIXED where the model's batch is another. */
export const patternFeeds = (session: Pick<Session, "inputs">, batch: number, size?: readonly [width: number, height: number]): Feeds =>
  Object.fromEntries(session.inputs.map(({ name, dtype, shape }) => {
    const [first] = shape;
    if (typeof first === "number" && first !== batch && shape.length === 4) throw batchFixed(name, first, batch);
    const fixed = shape.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? batch : axis === 2 ? (size?.[1] ?? dynamicSide) : axis === 3 ? (size?.[0] ?? dynamicSide) : 1));
    const count = elementCount(fixed);
    if (dtype === "string") return [name, new Tensor("string", fixed, new Uint8Array(0), new Array<string>(count).fill(""))];
    return [name, dtype === "float32" ? Tensor.of("float32", fixed, pattern(count)) : Tensor.from(dtype, fixed, new Float32Array(count))];
  }));

/** Knuth's multiplicative hash of the index, as a fraction. */
const pattern = (count: number): Float32Array => Float32Array.from({ length: count }, (_, index) => (Math.imul(index + 1, 2654435761) >>> 8) / 2 ** 24);

const batchFixed = (input: string, has: number, wanted: number): UserError =>
  new UserError("BATCH_FIXED", `Input "${input}" has a fixed batch of ${has}, not ${wanted}.`, `measure it with --batch ${has}, or export the model with a dynamic batch.`);
