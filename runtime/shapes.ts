import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";
import { openSession } from "./session.ts";

/**
 * Fills in shapes that the table of ops does not tell with those that ONNX Runtime infers when it loads the model, then carries them on.
 * Changes shapes and types of `graph` alone; what the runtime does not know stays unknown
 * (it says [] of a scalar and of an unknown rank alike, which tells nothing). Throws UserError SESSION.
 */
export const inferShapesWithRuntime = async (graph: Graph): Promise<void> => {
  inferShapes(graph);
  const isOpen = (value: Value): boolean => value.name !== "" && (!value.shape || value.shape.some((dim) => String(dim).startsWith("?")));
  const open = [...graph.nodes].flatMap(({ outputs }) => outputs).filter(isOpen);
  if (open.length === 0) return;
  const mapping = new Map<Value, Value>();
  const probe = graph.clone(mapping);
  const asked = open.map((value) => mapping.get(value)!);
  for (const [index, value] of asked.entries()) {
    value.shape = undefined;
    value.name = `${index}`;
  }
  probe.outputs.splice(0, probe.outputs.length, ...asked);
  const session = await openSession(probe, { optimization: "disabled", threads: 1 });
  await session.close();
  for (const { name, shape, dtype } of session.outputs) {
    const value = open[Number(name)]!;
    if (shape.length > 0 && shape.every((dim) => typeof dim === "number")) Object.assign(value, { shape, dtype: value.dtype ?? dtype });
  }
  inferShapes(graph);
};
