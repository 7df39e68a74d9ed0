import { test } from "uvu";
import * as assert from "uvu/assert";
import { setMemoryBudget } from "../../graph/budget.ts";
import { UserError } from "../../graph/error.ts";
import { largeModels } from "../fuzz/large.ts";
import { mutantOf, randomFrom, seedModels } from "../fuzz/models.ts";
import { floats, info, loadOrRefuse, refused, tiny, type IGraph } from "./models.ts";

const int = (name: string, value: number) => ({ name, type: 2, i: value });
const ints = (name: string, values: readonly number[]) => ({ name, type: 7, ints: [...values] });
const text = (name: string, value: string) => ({ name, type: 3, s: Buffer.from(value) });
const int64s = (name: string, values: readonly number[]) => ({ name, dataType: 7, dims: [values.length], int64Data: [...values] });
const image = [info("x", [1, 4, 8, 8])];
const weights = [floats("w", new Array<number>(36).fill(1), [1, 4, 3, 3])];

/** One node on x float32[1,4,8,8]. */
const op = (opType: string, input: readonly string[], attribute: NonNullable<NonNullable<IGraph["node"]>[number]["attribute"]>, more: IGraph = {}) =>
  tiny({ input: image, node: [{ opType, name: "n", input: [...input], output: ["y"], attribute }], ...more });

for (const [name, bytes, words] of [
  ["an op that does not exist", op("Bogus", ["x"], []), "no operator of that name"],
  ["a name that every object has", op("constructor", ["x"], []), "no operator of that name"],
  ["an op that came later", op("Gelu", ["x"], []), "does not have that operator yet"],
  ["too few inputs", op("Conv", ["x"], []), "input 1 (W) is missing"],
  ["an input left out", op("ConvTranspose", ["", "w"], [], { initializer: weights }), "input 0 (X) is missing"],
  ["too many inputs", op("Relu", ["x", "x"], []), "takes at most 1"],
  ["inputs of two types", op("Add", ["x", "s"], [], { initializer: [int64s("s", [1])] }), "must have one element type"],
  ["a type that the op does not take", op("Reshape", ["x", "w"], [], { initializer: weights }), "takes int64"],
  ["an attribute of another kind", op("Softmax", ["x"], [text("axis", "1")]), "is of kind string and must be int"],
  ["an attribute that is not known", op("Relu", ["x"], [int("axis", 1)]), "does not know"],
  ["an attribute that is missing", op("Concat", ["x", "x"], []), "axis is missing"],
  ["a block size of 0", op("DepthToSpace", ["x"], [int("blocksize", 0)]), "blocksize is 0"],
  ["a block size of 2^32", op("DepthToSpace", ["x"], [int("blocksize", 2 ** 32)]), "blocksize is 4294967296"],
  ["no groups", op("Conv", ["x", "w"], [int("group", 0)], { initializer: weights }), "group is 0"],
  ["a stride of 0", op("MaxPool", ["x"], [ints("kernel_shape", [2, 2]), ints("strides", [0, 1])]), "strides holds 0"],
  ["a kernel unlike its weights", op("Conv", ["x", "w"], [ints("kernel_shape", [2, 2])], { initializer: weights }), "kernel_shape [2, 2]"],
  ["an axis beyond the rank", op("Softmax", ["x"], [int("axis", 4)]), "axis 4 is no axis"],
  ["an order that is no permutation", op("Transpose", ["x"], [ints("perm", [0, 1, 1, 3])]), "no permutation"],
  ["an element type that does not exist", op("Cast", ["x"], [int("to", 99)]), "to is 99"],
  ["parts that do not add up", tiny({ input: image, initializer: [int64s("s", [1, 1])],
    node: [{ opType: "Split", input: ["x", "s"], output: ["y", "z"], attribute: [int("axis", 1)] }] }), "adds up to 2"],
  ["a shape that does not fit", op("Reshape", ["x", "s"], [], { initializer: [int64s("s", [7, -1])] }), "does not go into"],
  ["a scale that is a matrix", op("QuantizeLinear", ["x", "s"], [], { initializer: [floats("s", [1, 1, 1, 1], [2, 2])] }),
    "a scale or zero point has rank 2"],
  ["a mode that does not exist", op("Resize", ["x", "", "w"], [text("mode", "x")], { initializer: weights }), `mode is "x"`],
] as const satisfies readonly (readonly [string, Uint8Array, string])[]) test(`refused: ${name}`, () => refused(bytes, "INVALID_OP", words));

test("a tensor beyond the budget is refused before it is made; a higher budget allows it", () => {
  const bytes = op("ConstantOfShape", ["s"], [], { initializer: [int64s("s", [2 ** 31])] });
  refused(bytes, "MEMORY_BUDGET", "8 GiB");
  setMemoryBudget(20 * 2 ** 30);
  try {
    assert.not.instance(loadOrRefuse(bytes), UserError);
  } finally {
    setMemoryBudget(4 * 2 ** 30);
  }
});

test("1000 mutants load or are refused in words that a user can read", () => {
  const seeds = seedModels();
  for (const { name, bytes } of seeds) assert.not.instance(loadOrRefuse(bytes), UserError, name);
  const random = randomFrom(9);
  let loaded = 0;
  for (let round = 0; round < 1000; round++) {
    const { bytes, done } = mutantOf(seeds[round % seeds.length]!.bytes, random);
    const result = loadOrRefuse(bytes);
    if (result instanceof UserError) assert.not.match(result.message, /\bbug:|\bNaN\b|\bundefined\b|is not a function/, `round ${round}: ${done.join(", ")}`);
    else loaded++;
  }
  assert.ok(loaded > 100 && loaded < 900, `${loaded} loaded`);
});

for (const name of ["100,000 nodes in a chain", "60,000 inputs of one Sum", "5,000 shape computations in a chain", "1,000 bodies in each other"]) {
  test(`loads or is refused, without hanging: ${name}`, () => {
    const started = performance.now();
    const result = loadOrRefuse(largeModels[name]!());
    assert.is(result instanceof UserError, name.startsWith("1,000"));
    assert.ok(performance.now() - started < 60_000, "took longer than a minute");
  });
}

test.run();
