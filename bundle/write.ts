import { join } from "node:path";
import type { KeyObject } from "node:crypto";
import { sha256Of } from "../files/digest.ts";
import { writeWhole } from "../files/write.ts";
import { UserError } from "../graph/error.ts";
import { inputLimits } from "../input/limits.ts";
import { readPlainFile } from "../input/read.ts";
import { cannotWrite } from "./errors.ts";
import { adapterDetector, adapterObstacle, yoloxAdapter } from "./autoware/adapter.ts";
import { addAutoware } from "./autoware/package.ts";
import { archiveOf } from "./archive.ts";
import { checksumsFile, checksumsText, measuredChecksumsFile, measuredSignatureFile, signatureFile } from "./checksums.ts";
import { addCpp } from "./cpp.ts";
import { addDeepstream, deepstreamObstacle } from "./deepstream/package.ts";
import { driftRows } from "./evidence/drift.ts";
import { detections } from "./evidence/measure.ts";
import { evidenceFiles, requirementRows } from "./evidence/requirements.ts";
import { sliceAccuracies } from "./evidence/slices.ts";
import { addGolden } from "./golden/files.ts";
import { goldenVectors } from "./golden/vectors.ts";
import { addText, jsonText, type BundleInput, type EvidenceData, type Files } from "./input.ts";
import { labelLines } from "../escape/lines.ts";
import { gatesOf, manifestOf, runEvidence } from "./manifest.ts";
import { manifestJsonSchema, manifestSchema, type BundleFormat, type Manifest, type ModelAccuracyRecord, type RequirementRow } from "./manifest-schema.ts";
import { addTimings, isMeasured, timingsOf } from "./measured.ts";
import { modelCard, timingTables } from "./model-card.ts";
import { floatModel, modelFile, namesOf, type Names } from "./names.ts";
import { readmeText } from "./readme.ts";
import { replaceFolder } from "./replace.ts";
import { sbomText } from "./sbom.ts";
import { keyId, signBytes } from "./signature.ts";
import { addTensorrtRecipe } from "./tensorrt.ts";

export interface WriteOptions {
  readonly tool: Manifest["tool"];
  /** Private ed25519 key that signs the checksums. */
  readonly key?: KeyObject;
  /** Also write `<folder>.tar`. */
  readonly archive?: boolean;
  readonly onProgress?: (what: string, done: number, total: number) => void;
  readonly onNote?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface WrittenBundle {
  readonly folder: string;
  readonly archive: string | null;
  readonly manifest: Manifest;
  /** All of them, those on times too. */
  readonly requirements: readonly RequirementRow[];
  /** sha256 of SHA256SUMS: equal for two runs of one config on one kind of machine. */
  readonly contentSha256: string;
  readonly bytes: number;
}

/**
 * Makes a bundle in `parent` and returns its folder, `<name>-<short hash>`; one that is there is replaced. The same input gives the same bytes.
 * Throws UserError CANNOT_WRITE, AUTOWARE_LABEL and those of running the models.
 */
export const writeBundle = async (input: BundleInput, parent: string, options: WriteOptions): Promise<WrittenBundle> => {
  const names = namesOf(input.result.name, (await identityOf(input, options)).slice(0, 8));
  const files: Files = new Map();
  for (const { role, path } of input.models) files.set(modelFile(names, role), await readPlainFile(path, inputLimits.wholeFileBytes));
  const notes: string[] = [];
  const accuracies = input.data ? await measureAll(input, input.data, options) : [];
  const formats = await addFormats(files, input, names, notes, options);
  for (const note of notes) options.onNote?.(note);
  const { iou, maxDetections } = input.thresholds;
  addGolden(files, await goldenVectors(input.models, input.result.seed, { iouThreshold: iou, maxDetections }));
  addTensorrtRecipe(files, input, names);
  const requirements = requirementRows(input.requirements, input.models, input.result, accuracies);
  const gates = gatesOf(input.result);
  const manifest = manifestSchema.parse(manifestOf(input, {
    gates, requirements, names, tool: options.tool, accuracies, formats, notes, keyId: options.key ? keyId(options.key) : null, sha256: (file) => sha256Of(files.get(file)!),
  }));
  addTexts(files, input, manifest, accuracies);
  const timings = timingsOf(input.result, gates, requirements);
  addTimings(files, timings, timingTables(timings, manifest));
  const contentSha256 = addSums(files, options.key);
  const folder = join(parent, names.base);
  await replaceFolder(folder, files).catch((cause: unknown) => { throw cannotWrite(folder, cause); });
  let archive: string | null = null;
  if (options.archive) {
    const place = archive = `${folder}.tar`;
    await writeWhole(place, await archiveOf(names.base, files)).catch((cause: unknown) => { throw cause instanceof UserError ? cause : cannotWrite(place, cause); });
  }
  return { folder, archive, manifest, requirements, contentSha256, bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0) };
};

/** Adds the two lists of hashes, and their signatures; returns the sha256 of the first. */
export const addSums = (files: Files, key: KeyObject | undefined): string => {
  const lists = [[checksumsFile, signatureFile, (path: string) => !isMeasured(path)], [measuredChecksumsFile, measuredSignatureFile, (path: string) => isMeasured(path) || path === checksumsFile]] as const;
  for (const [list, signature, isListed] of lists) {
    const sums = Buffer.from(checksumsText(new Map([...files].filter(([path]) => isListed(path)))));
    files.set(list, sums);
    if (key) files.set(signature, signBytes(sums, key));
  }
  return sha256Of(files.get(checksumsFile)!);
};

/** sha256 of what the content depends on, without what was measured. */
const identityOf = async ({ models, result, formats, thresholds, requirements, data, ranges, autowareLabels, limits }: BundleInput, { tool, key }: WriteOptions): Promise<string> => {
  const hashes = await Promise.all(models.map(async ({ role, path }) => [role, sha256Of(await readPlainFile(path, inputLimits.wholeFileBytes))]));
  const { contract, classes } = models[0]!.model;
  return sha256Of(JSON.stringify([tool, hashes, runEvidence(result), formats, thresholds, requirements, contract, classes, data?.fingerprints ?? null,
    data ? Object.entries(data.slices).map(([name, ids]) => [name, [...ids]]) : null, ranges ? [...ranges] : null, autowareLabels, limits, key ? keyId(key) : null]));
};

const measureAll = async (input: BundleInput, data: EvidenceData, options: WriteOptions): Promise<ModelAccuracyRecord[]> => {
  const records: ModelAccuracyRecord[] = [];
  for (const { role, variant, model, path, session } of input.models) {
    const pictures = await detections(model, data, path, { session, ...progressOf(`evidence: ${variant}`, options) });
    records.push({ role, variant, slices: sliceAccuracies(pictures, sliceOptions(input, data)) });
  }
  return records;
};

const sliceOptions = ({ result }: BundleInput, { classes, items, slices }: EvidenceData) => ({ classes, ids: items.map(({ id }) => id), slices, seed: result.seed });

const progressOf = (what: string, { onProgress, signal }: WriteOptions) => ({
  ...(onProgress && { onProgress: (done: number, total: number) => onProgress(what, done, total) }), ...(signal && { signal }),
});

/** Adds what the formats want; one that a model cannot have is left out, with its reason among the notes. */
const addFormats = async (files: Files, input: BundleInput, names: Names, notes: string[], options: WriteOptions): Promise<BundleFormat[]> => {
  const { model } = floatModel(input.models);
  const { version } = options.tool;
  const adders: Readonly<Record<BundleFormat, () => Promise<string | undefined>>> = {
    cpp: () => addCpp(files, input, names, version),
    autoware: async () => {
      const obstacle = adapterObstacle(model);
      if (obstacle !== undefined) return obstacle;
      const adapter = yoloxAdapter(model);
      addAutoware(files, input, names, adapter, version);
      if (input.data) {
        const pictures = await detections(adapterDetector(model, adapter), input.data, adapter, progressOf("evidence: Autoware adapter", options));
        addText(files, "evidence/autoware.json", jsonText({ letterbox: "top left, BGR 0..255, pad 114", slices: sliceAccuracies(pictures, sliceOptions(input, input.data)) }));
      }
      return undefined;
    },
    deepstream: async () => {
      const obstacle = deepstreamObstacle(model);
      if (obstacle === undefined) addDeepstream(files, input, names);
      return Promise.resolve(obstacle);
    },
  };
  const done: BundleFormat[] = [];
  for (const format of input.formats) {
    const obstacle = await adders[format]();
    if (obstacle === undefined) done.push(format);
    else notes.push(obstacle);
  }
  return done;
};

const addTexts = (files: Files, { result, models }: BundleInput, manifest: Manifest, accuracies: readonly ModelAccuracyRecord[]): void => {
  const drift = driftRows(result, models.map(({ variant }) => variant));
  addText(files, "manifest.json", jsonText(manifest));
  addText(files, "manifest.schema.json", jsonText(manifestJsonSchema()));
  addText(files, "labels.txt", `${labelLines(manifest.classes)}\n`);
  addText(files, "preprocess.json", jsonText(manifest.preprocess));
  addText(files, "MODEL_CARD.md", modelCard(manifest, drift));
  addText(files, "README.md", readmeText(manifest));
  addText(files, "sbom.cdx.json", sbomText(manifest));
  addText(files, evidenceFiles.run, jsonText(runEvidence(result)));
  addText(files, evidenceFiles.accuracy, jsonText(accuracies));
  addText(files, evidenceFiles.drift, jsonText(drift));
  addText(files, evidenceFiles.requirements, jsonText({ statement: manifest.statement, requirements: manifest.requirements, gates: manifest.gates, limits: manifest.limits }));
};
