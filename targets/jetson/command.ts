import { atLeast, type TensorrtVersion } from "./check/finding.ts";

/** int8: Q/DQ layers in int8, the rest in fp16. */
export type JetsonPrecision = "int8" | "fp16" | "fp32";

export interface Trtexec {
  /** Path on the device. */
  readonly path: string;
  readonly version: TensorrtVersion;
  /** What its --help lists; empty where that is not known. */
  readonly options: ReadonlySet<string>;
}

export interface BuildOptions {
  readonly onnx: string;
  readonly engine: string;
  readonly timingCache: string;
  readonly precision: JetsonPrecision;
  /** Sizes of inputs with dynamic dimensions: `images:1x3x320x320`. */
  readonly shapes?: string;
  readonly dlaCore?: number;
  readonly workspaceMiB?: number;
}

export interface MeasureOptions {
  readonly engine: string;
  readonly shapes?: string;
  readonly dlaCore?: number;
  readonly warmUpMs: number;
  readonly seconds: number;
  readonly runs: number;
  readonly times: string;
}

export interface ProfileOptions {
  readonly engine: string;
  readonly shapes?: string;
  readonly dlaCore?: number;
  readonly profile: string;
  readonly layers: string;
}

/** trtexec --onnx … --saveEngine …, nothing measured. */
export const buildCommand = (trtexec: Trtexec, { onnx, engine, timingCache, precision, shapes, dlaCore, workspaceMiB }: BuildOptions): string[] => [
  trtexec.path, `--onnx=${onnx}`, `--saveEngine=${engine}`, `--timingCacheFile=${timingCache}`,
  ...precisionFlags(trtexec.version, precision),
  ...(shapes === undefined ? [] : [`--shapes=${shapes}`]),
  ...dlaFlags(dlaCore, true),
  ...(workspaceMiB === undefined ? [] : [atLeast(trtexec.version, 8, 4) ? `--memPoolSize=workspace:${workspaceMiB}` : `--workspace=${workspaceMiB}`]),
  first(trtexec, "--profilingVerbosity=detailed", "--nvtxMode=verbose"),
  atLeast(trtexec.version, 8, 6) ? "--skipInference" : "--buildOnly",
];

/**
 * trtexec --loadEngine …: copies in and out counted, spinning instead of sleeping, CUDA graph; TensorRT 11 has the last two by default and leaves
 * copies out unless told. All releases so measure the same thing.
 */
export const measureCommand = ({ path, version }: Trtexec, { engine, shapes, dlaCore, warmUpMs, seconds, runs, times }: MeasureOptions): string[] => [
  path, `--loadEngine=${engine}`, ...(shapes === undefined ? [] : [`--shapes=${shapes}`]), ...dlaFlags(dlaCore, false),
  `--warmUp=${warmUpMs}`, `--duration=${seconds}`, `--iterations=${runs}`, ...(version.major >= 11 ? ["--includeDataTransfers"] : ["--useSpinWait", "--useCudaGraph"]),
  `--exportTimes=${times}`,
];

/** A short run of its own for the layers: profiling slows what it measures. */
export const profileCommand = ({ path, version }: Trtexec, { engine, shapes, dlaCore, profile, layers }: ProfileOptions): string[] => [
  path, `--loadEngine=${engine}`, ...(shapes === undefined ? [] : [`--shapes=${shapes}`]), ...dlaFlags(dlaCore, false),
  "--warmUp=200", "--duration=1", "--iterations=20", ...(version.major >= 11 ? ["--noCudaGraph"] : []), "--dumpProfile", `--exportProfile=${profile}`, `--exportLayerInfo=${layers}`,
];

/** TensorRT 11 has no precision flags: networks are strongly typed, and the file itself says what runs in which type. */
const precisionFlags = ({ major }: TensorrtVersion, precision: JetsonPrecision): string[] => {
  if (major >= 11 || precision === "fp32") return [];
  return precision === "int8" ? ["--int8", "--fp16"] : ["--fp16"];
};

const dlaFlags = (core: number | undefined, build: boolean): string[] => (core === undefined ? [] : [`--useDLACore=${core}`, ...(build ? ["--allowGPUFallback"] : [])]);

/** The first option that this trtexec lists; the first of all where its list is not known. */
const first = ({ options }: Trtexec, ...choices: readonly [string, ...string[]]): string =>
  choices.find((choice) => options.has(choice.split("=")[0]!)) ?? choices[0];
