import { createHash } from "node:crypto";
import type { DatasetItem } from "./dataset.ts";

/** sha256 (hex) over each picture's relative path, file and pixel size and labels, in order: equal where training would be equal. */
export function datasetFingerprint(items: readonly DatasetItem[]): string {
  const hash = createHash("sha256");
  for (const { id, imageId, width, height, bytes, boxes } of items) {
    const labels = boxes?.map(({ classIndex, box, crowd, area, unmatchable }) => [classIndex, ...box, crowd ? 1 : 0, area ?? null, ...(unmatchable ? [1] : [])]) ?? null;
    hash.update(JSON.stringify([id, imageId, width, height, bytes, labels]) + "\n");
  }
  return hash.digest("hex");
}
