import { sha256File } from "../targets/digest.ts";
import { datasetFingerprint, type DatasetItem } from "../vision/index.ts";
import { mapParallel } from "../vision/datasets/files.ts";
import { hashOf } from "./hash.ts";
import { lazyTask, type Reporter } from "./progress.ts";

/** sha256 over the bytes of files, in order; what is made of them is never taken for what others gave. */
export const filesDigest = async (paths: readonly string[], label: string, reporter: Reporter): Promise<string> => {
  const task = lazyTask(reporter, label, "picture");
  let done = 0;
  try {
    const digests = await mapParallel(paths, 8, async (path) => {
      const digest = await sha256File(path);
      if (paths.length >= 1000) task.update(++done, paths.length);
      return digest;
    });
    return hashOf(digests);
  } finally {
    task.end();
  }
};

/** sha256 over a set's pictures, byte by byte, and its labels: equal where training and measuring would be equal. */
export const setDigest = async (items: readonly DatasetItem[], what: string, reporter: Reporter): Promise<string> =>
  hashOf(datasetFingerprint(items), await filesDigest(items.map(({ path }) => path), `reading the ${what}`, reporter));
