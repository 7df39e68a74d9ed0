import { stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { writeContract, type DetectorModel } from "../detection/detector.ts";
import { writeClassNames } from "../students/metadata.ts";
import type { Graph } from "../graph/graph.ts";
import { countMacs } from "../graph/macs.ts";
import { inferShapes } from "../graph/shapes.ts";
import { loadModel } from "../onnx/load.ts";
import { saveModel } from "../onnx/save.ts";
import { foldBatchNorm } from "../rewrite/batchnorm.ts";
import { sha256File } from "../files/digest.ts";
import { checkVariant } from "./checks/variant.ts";
import { hashOf } from "./hash.ts";
import { sessionKey } from "./models/session.ts";
import type { PlannedTeacher } from "./plan.ts";
import type { VariantStage } from "./result.ts";
import type { StageContext, VariantFile } from "./stage.ts";
import { version } from "./version.ts";

export interface NewVariant {
  readonly name: string;
  readonly stage: VariantStage;
  readonly parent: VariantFile | undefined;
  readonly graph: Graph;
  readonly precision?: VariantFile["precision"];
  readonly session?: VariantFile["session"];
  readonly runtime?: VariantFile["runtime"];
  /** Keep the graph with its batch normalization for further training; only where there is one. */
  readonly keepTrainable?: boolean;
}

/** Path of a file of the run as run.json names it. */
export const inRun = (runFolder: string, path: string): string => {
  const inside = relative(runFolder, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside;
};

export const variantPath = (runFolder: string, path: string): string => (isAbsolute(path) ? path : join(runFolder, path));

/** Folds batch normalization, writes names, contract and provenance into the metadata, saves the file and counts what it costs. */
export const saveVariant = async (context: StageContext, variant: NewVariant): Promise<VariantFile> => {
  const { folder, runFolder } = context;
  const described = variant.graph.clone();
  writeMetadata(context, described, variant);
  const folded = variant.precision === "int8" ? described : foldBatchNorm(described).graph;
  const path = join(folder, `${variant.name}.onnx`);
  await saveModel(folded, path, { valueInfo: variant.precision !== "int8" });
  const trainable = variant.keepTrainable === true && folded.nodes.size !== described.nodes.size ? join(folder, `${variant.name}.trainable.onnx`) : undefined;
  if (trainable !== undefined) await saveModel(described, trainable);
  await checkVariant([path, ...(trainable === undefined ? [] : [trainable])], described, variant, context);
  return {
    name: variant.name, stage: variant.stage, parent: variant.parent?.name ?? null, precision: variant.precision ?? "float32",
    ...(await costsOf(path, folded)), model: inRun(runFolder, path),
    ...(variant.session && { session: variant.session }),
    ...(variant.runtime && { runtime: variant.runtime }), ...(trainable !== undefined && { trainable: inRun(runFolder, trainable) }),
  };
};

/** A given teacher as a variant, its file where it is. */
export const givenVariant = async ({ name, path, model, sizeBytes }: PlannedTeacher, runFolder: string): Promise<VariantFile> =>
  ({ name, stage: "teacher", parent: null, precision: "float32", ...(await costsOf(path, atContractSize(model))), sizeBytes, model: inRun(runFolder, path) });

/** A model whose input is dynamic, at the size that it will run at: only then are its MACs known. */
const atContractSize = ({ graph, contract: { size: [width, height] } }: DetectorModel): Graph => {
  const [image] = graph.inputs;
  if (!image?.shape?.slice(1).some((dim) => typeof dim === "string")) return graph;
  const fixed = graph.clone();
  fixed.inputs[0]!.shape = [1, 3, height, width];
  inferShapes(fixed, { overwrite: true });
  return fixed;
};

const costsOf = async (path: string, graph: Graph): Promise<Pick<VariantFile, "sha256" | "parameters" | "macs" | "sizeBytes">> => {
  const { macs, parameters } = countMacs(graph);
  return { sha256: await sha256File(path), parameters, macs, sizeBytes: (await stat(path)).size };
};

const writeMetadata = ({ plan, loaded }: StageContext, graph: Graph, { stage, parent, session }: NewVariant): void => {
  const { student, classes } = plan;
  const [width, height] = student.contract.size;
  writeClassNames(graph, classes);
  writeContract(graph, student.contract, student.family);
  graph.metadata.set("task", "detect");
  graph.metadata.set("stride", "32");
  graph.metadata.set("imgsz", `[${height}, ${width}]`);
  graph.metadata.set("edgestill.provenance", JSON.stringify({ edgestill: version, stage, parent: parent?.sha256 ?? null, config: hashOf(loaded.config).slice(0, 16), run: loaded.config.name }));
  if (session) graph.metadata.set(sessionKey, JSON.stringify(session.extra ?? {}));
  Object.assign(graph.facts, { producerName: "edgestill", producerVersion: version });
};

/** The graph of a variant, shapes inferred; with `trainable` the one that keeps batch normalization, where there is one. */
export const loadVariant = async (runFolder: string, variant: VariantFile, form: "deployed" | "trainable" = "deployed"): Promise<Graph> => {
  const { graph } = await loadModel(variantPath(runFolder, form === "trainable" ? (variant.trainable ?? variant.model) : variant.model));
  inferShapes(graph);
  return graph;
};
