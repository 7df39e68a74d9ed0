import { execa } from "execa";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Graph } from "../../graph/graph.ts";
import { loadModel } from "../../onnx/load.ts";
import { saveModel } from "../../onnx/save.ts";
import type { Feeds } from "../../runtime/session.ts";

export interface PeerJob {
  readonly name: string;
  readonly method: "minmax" | "entropy" | "percentile";
  /** Op types to quantize; null for all that the quantizer knows. */
  readonly ops: readonly string[] | null;
  readonly keepFloat: readonly string[];
}

export interface PeerResult {
  readonly graph: Graph;
  readonly seconds: number;
  readonly peakBytes: number;
}

export interface PeerFiles {
  readonly model: string;
  readonly feeds: string;
  readonly shape: readonly number[];
  readonly input: string;
}

/** Writes the model and all calibration pictures where the Python peer reads them. */
export const writePeerFiles = async (graph: Graph, feeds: AsyncIterable<Feeds>, folder: string): Promise<PeerFiles> => {
  const files = { model: join(folder, "float.onnx"), feeds: join(folder, "feeds.f32"), input: graph.inputs[0]!.name };
  await saveModel(graph, files.model);
  const descriptor = openSync(files.feeds, "w");
  let pictures = 0;
  for await (const feed of feeds) {
    writeSync(descriptor, feed[files.input]!.bytes);
    pictures++;
  }
  closeSync(descriptor);
  return { ...files, shape: [pictures, ...graph.inputs[0]!.staticShape!.slice(1)] };
};

export const runPeer = async (python: string, files: PeerFiles, job: PeerJob, folder: string): Promise<PeerResult> => {
  const output = join(folder, `${job.name.replaceAll(/\W+/g, "-")}.onnx`);
  const script = fileURLToPath(new URL("../peers/quantize.py", import.meta.url));
  const { stdout } = await execa(python, [script], { input: JSON.stringify({ ...files, ...job, output }) });
  const { seconds, peakBytes } = JSON.parse(stdout.trim().split("\n").at(-1)!) as { seconds: number; peakBytes: number };
  return { graph: (await loadModel(output)).graph, seconds, peakBytes };
};
