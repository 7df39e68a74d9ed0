import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Graph } from "../../../graph/graph.ts";
import { saveModel } from "../../../onnx/save.ts";
import { emitCpu } from "../../../pipeline/quantize/cpu.ts";
import { startingFloatSet } from "../../../pipeline/quantize/float-set.ts";
import { prepareForQuantization } from "../../../pipeline/quantize/prepare.ts";
import type { TensorRange } from "../../../pipeline/quantize/ranges.ts";
import { emitTensorrt } from "../../../pipeline/quantize/tensorrt.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { sha256File } from "../../../files/digest.ts";
import { localTransport } from "../../../targets/local-transport.ts";
import type { BenchmarkModel } from "../../../targets/target.ts";
import type { Transport } from "../../../targets/transport.ts";

/** This machine with stand-ins for the tools of a Jetson first on its PATH. */
export interface StandIn {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly transport: Transport;
  /** What was called, in order. */
  readonly calls: () => Promise<string[]>;
}

/** Stand-ins, not a device; `env` says which board and which fault. */
export const withStandIns = async (env: Readonly<Record<string, string>>, work: (device: StandIn) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-stand-in-"));
  try {
    await installTools(join(folder, "bin"));
    const all = {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`, XDG_CACHE_HOME: join(folder, "cache"), TMPDIR: folder,
      STAND_IN_LOG: join(folder, "calls"), STAND_IN_CLOCKS: join(folder, "clocks"), ...env,
    };
    const calls = async (): Promise<string[]> => (await readFile(all.STAND_IN_LOG, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
    await work({ folder, env: all, transport: localTransport(all), calls });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Programs `trtexec`, `tegrastats`, … in the folder, each a stand-in. */
export const installTools = async (bin: string): Promise<void> => {
  await mkdir(bin);
  for (const name of ["trtexec", "tegrastats", "nvpmodel", "jetson_clocks"]) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "stand-ins", `${name}.js`)}" "$@"\n`);
    await chmod(join(bin, name), 0o755);
  }
  await writeFile(join(bin, "sudo"), `#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n`);
  await chmod(join(bin, "sudo"), 0o755);
};

const rangeOf = (threshold: number): TensorRange => ({ min: -threshold, max: threshold, threshold, low: -threshold, high: threshold, histogram: { total: 1, clipped: 0, binWidth: 1 } });

const student = (): Graph => yoloStudent({ classes: ["car"], size: [64, 64], width: 0.25, depth: 0.33 });

/** A small student as the file of each precision; `cpu` is the int8 file that is not for TensorRT. */
export const studentFile = async (folder: string, precision: "int8" | "float32" | "cpu"): Promise<BenchmarkModel> => {
  const path = join(folder, `${precision}.onnx`);
  await saveModel(precision === "float32" ? student() : quantizedStudent(precision === "cpu" ? "cpu" : "tensorrt"), path);
  return { name: precision, path, sha256: await sha256File(path), precision: precision === "float32" ? "float32" : "int8" };
};

/** Placed as the quantize stage does, with made-up ranges. */
export const quantizedStudent = (scheme: "cpu" | "tensorrt"): Graph => {
  const emit = scheme === "cpu" ? emitCpu : emitTensorrt;
  const prepared = prepareForQuantization(student());
  const floatNodes = new Set([...startingFloatSet(prepared).keys()].map(({ name }) => name));
  return emit(prepared, { method: "minmax", pictures: 1, ranges: new Map(prepared.values.map(({ name }) => [name, rangeOf(4)])) }, { floatNodes }).graph;
};
