import { Builder } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";
import { backward } from "./backward.ts";
import { isFloating } from "./rule.ts";
import { trainableInitializers } from "./trainable.ts";

/** The oldest operator set that has what the gradients are built of (ScatterElements with a reduction). */
const oldestOpset = 16;

/**
 * A copy of `graph` whose outputs are the loss (summed if it is not scalar) and `grad/<name>` for each of `wrtNames`: inputs,
 * initializers or inner values. Default: every float initializer that a gradient reaches. Throws UNKNOWN_VALUE, NO_GRADIENT, NOT_REACHED, OLD_OPSET.
 */
export const gradientModel = (graph: Graph, lossName: string, wrtNames?: readonly string[]): Graph => {
  if (graph.opset < oldestOpset) throw oldOpset(graph.opset);
  const copy = graph.clone();
  inferShapes(copy);
  const b = new Builder(copy, "grad");
  const values = new Map(copy.values.map((value) => [value.name, value]));
  const named = (name: string): Value => values.get(name) ?? fail(unknownValue(name, graph));
  const loss = named(lossName);
  if (loss.dtype !== undefined && !isFloating(loss)) throw notFloat(loss);
  const wrt = wrtNames ? wrtNames.map(named) : trainableInitializers(copy, loss);
  if (wrt.length === 0) throw nothingReached(loss);
  const gradients = backward(b, loss, wrt);
  copy.outputs.length = 0;
  // An Identity of its own per gradient: two of them may be the same value, or one may already carry a name.
  for (const value of wrt) {
    const output = b.op("Identity", [gradients.get(value)!]);
    output.name = `grad/${value.name}`;
    copy.outputs.push(output);
  }
  copy.outputs.unshift(scalarLoss(b, loss));
  return copy;
};

/** The sum takes over the name, so that the output is called as the user calls the loss. */
const scalarLoss = (b: Builder, loss: Value): Value => {
  if (loss.shape?.length === 0 && loss.producer) return loss;
  const total = b.op("ReduceSum", [loss], { keepdims: 0 });
  if (!loss.producer) return total;
  total.name = loss.name;
  loss.name = `${loss.name}/elements`;
  return total;
};

const fail = (error: UserError): never => { throw error; };

const unknownValue = (name: string, graph: Graph): UserError =>
  new UserError("UNKNOWN_VALUE", `The model has no value "${name}".`,
    `name an input, an initializer or a node's output; the outputs are ${graph.outputs.map((output) => `"${output.name}"`).join(", ") || "none"}.`);

const notFloat = ({ name, dtype }: Value): UserError =>
  new UserError("NO_GRADIENT", `"${name}" is ${dtype}, of which there is no gradient.`, "name a value of floats with --loss.");

const nothingReached = ({ name }: Value): UserError =>
  new UserError("NO_GRADIENT", `No gradient of "${name}" reaches an initializer of floats.`,
    "name inputs or initializers with --wrt; edgestill inspect says which nodes no gradient passes.");

const oldOpset = (opset: number): UserError =>
  new UserError("OLD_OPSET", `The model uses operator set ${opset}; gradients need ${oldestOpset} or newer.`, "upgrade the model's operator set first.");
