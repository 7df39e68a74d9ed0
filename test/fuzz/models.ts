import onnxProto from "onnx-proto";
import { mutations } from "./mutations.ts";
import { Parts } from "./parts.ts";
import { below, pick, type Random } from "./random.ts";

export { randomFrom, type Random } from "./random.ts";
export { seedModels, type SeedModel } from "./seeds.ts";

/** A serialized model with what was done to it. */
export interface Mutant {
  readonly bytes: Uint8Array;
  /** Names of the mutations, in order. */
  readonly done: readonly string[];
}

const { ModelProto } = onnxProto.onnx;

/**
 * `bytes` (a serialized ModelProto that protobuf can read) with one to three changes of its parts, seldom also with bytes cut off or
 * changed. The same `random` gives the same mutant.
 */
export const mutantOf = (bytes: Uint8Array, random: Random): Mutant => {
  const model = ModelProto.toObject(ModelProto.decode(bytes)) as onnxProto.onnx.IModelProto;
  const done: string[] = [];
  for (let n = pick(random, [1, 1, 1, 2, 2, 3]); n > 0; n--) {
    const name = pick(random, Object.keys(mutations));
    mutations[name]!(new Parts(model, random));
    done.push(name);
  }
  const changed = ModelProto.encode(model).finish();
  return random() < 0.04 ? damaged(changed, random, done) : { bytes: changed, done };
};

/** As `mutantOf`, the bytes alone. */
export const mutateModel = (bytes: Uint8Array, random: Random): Uint8Array => mutantOf(bytes, random).bytes;

const damaged = (bytes: Uint8Array, random: Random, done: readonly string[]): Mutant => {
  if (random() < 0.5)
    return { bytes: bytes.subarray(0, below(random, bytes.length + 1)), done: [...done, "truncated"] };
  const copy = Uint8Array.from(bytes);
  for (let n = 1 + below(random, 4); n > 0 && copy.length > 0; n--)
    copy[below(random, copy.length)] = below(random, 256);
  return { bytes: copy, done: [...done, "bytes changed"] };
};
