import { pythonString } from "../escape/python.ts";
import type { Graph } from "../graph/graph.ts";

/** Ultralytics' form of the class list. */
export const writeClassNames = (graph: Graph, classes: readonly string[]): void => {
  graph.metadata.set("names", `{${classes.map((name, index) => `${index}: ${pythonString(name)}`).join(", ")}}`);
};
