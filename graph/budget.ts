import { UserError } from "./error.ts";
import { labelOf } from "./invalid-op.ts";
import type { Node, Shape } from "./node.ts";
import { bytesPerElement, type DataType } from "./tensor.ts";

const gib = 2 ** 30;

/** Memory that the tensors of a model may need, in bytes. */
let budgetBytes = 4 * gib;

/** Sets the budget of this process (default 4 GiB) for the models that are loaded from now on. */
export const setMemoryBudget = (bytes: number): void => { budgetBytes = bytes; };

export const memoryBudget = (): number => budgetBytes;

/** Throws UserError MEMORY_BUDGET where `bytes` is more than the budget; `what` needs them. */
export const checkBudget = (what: string, bytes: number): void => {
  if (bytes > budgetBytes) {
    throw new UserError("MEMORY_BUDGET", `${what} needs ${figure(bytes)} of memory; ${figure(budgetBytes)} are allowed.`,
      "use a smaller input size or batch, or raise the limit: --max-memory <GiB> (setMemoryBudget in a program).");
  }
};

/** As `checkBudget`, for one output of a node; symbolic dimensions count as 1. */
export const withinBudget = (node: Node, name: string, shape: Shape, dtype: DataType | undefined): void =>
  checkBudget(`${labelOf(node)}: its output "${name}" [${shape.join(", ")}]`, sizeBytes(shape, dtype));

/** A shape's bytes, symbolic dimensions as 1, strings and unknown types as 1 byte an element. */
export const sizeBytes = (shape: Shape, dtype: DataType | undefined): number =>
  shape.reduce<number>((size, dim) => size * (typeof dim === "number" ? dim : 1), dtype ? bytesPerElement(dtype) || 1 : 1);

const figure = (bytes: number): string => (bytes >= 2 ** 60 ? `${(bytes / gib).toExponential(1)} GiB` : `${Number((bytes / gib).toPrecision(3))} GiB`);
