import type { Graph } from "../graph/graph.ts";
import { serializeHead, type Head, type HeadFamily } from "../vision/heads.ts";
import { serializePreprocess } from "../vision/preprocess.ts";
import type { Preprocess } from "../vision/types.ts";

/** What a file of ours says about itself. */
export const metadataKeys = {
  preprocess: "edgestill.preprocess",
  family: "edgestill.family",
  head: "edgestill.head",
} as const;

/**
 * Writes the contract and how the head is read into the metadata, where every command reads them. A family alone
 * is recognised again from the shapes.
 */
export const writeContract = (graph: Graph, contract: Preprocess, head: Head | HeadFamily): void => {
  graph.metadata.set(metadataKeys.preprocess, serializePreprocess(contract));
  graph.metadata.set(metadataKeys.family, typeof head === "string" ? head : head.family);
  graph.metadata.delete(metadataKeys.head);
  if (typeof head !== "string") graph.metadata.set(metadataKeys.head, serializeHead(head));
};
