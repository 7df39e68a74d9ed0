import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { KeyObject } from "node:crypto";
import type { z } from "zod";
import { UserError } from "../graph/error.ts";
import { sha256File, sha256Of } from "../files/digest.ts";
import { parseJson } from "../input/json.ts";
import { inputLimits } from "../input/limits.ts";
import { isMissing, readPlainFile, readTextFile } from "../input/read.ts";
import { fileAccess, reasonOf } from "../input/reason.ts";
import { checkSchema, problemText } from "../input/schema.ts";
import { checksumsFile, isInside, leavesBundle, listFiles, measuredChecksumsFile, measuredSignatureFile, parseChecksums, signatureFile } from "./checksums.ts";
import type { GoldenMachine, GoldenOutcome } from "./golden/check.ts";
import { manifestSchema, type Manifest } from "./manifest-schema.ts";
import { timedFile } from "./evidence/requirements.ts";
import { isMeasured, timingsSchema, type Timings } from "./measured.ts";
import { isSignedBy, keyId } from "./signature.ts";

export interface VerifyOptions {
  /** Public key that must have signed the bundle. */
  readonly key?: KeyObject;
  /** Run the golden vectors; default true. */
  readonly run?: boolean;
  /** Where the models run; default this machine. */
  readonly machine?: GoldenMachine;
  readonly signal?: AbortSignal;
}

export interface Verification {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  /** sha256 of SHA256SUMS: equal for two runs of one config on one kind of machine. */
  readonly contentSha256: string;
  readonly signature: "valid" | "not checked" | "unsigned";
  /** Golden pictures checked, and model runs compared; null where none were asked for. */
  readonly golden: GoldenOutcome | null;
}

/**
 * Checks a bundle: its paths, the signature, every hash, missing and extra files, the manifest's schema and what it names, then the golden vectors.
 * Throws the first difference as a UserError: NOT_A_BUNDLE, BUNDLE_PATH, BUNDLE_SIZE, FILE_ACCESS, BUNDLE_UNSIGNED, BUNDLE_KEY, BUNDLE_SIGNATURE, BUNDLE_CHECKSUMS,
 * BUNDLE_MISSING, BUNDLE_CHANGED, BUNDLE_EXTRA, BUNDLE_SCHEMA, BUNDLE_MANIFEST, GOLDEN_INDEX, GOLDEN_DIFFERS.
 */
export const verifyBundle = (folder: string, options: VerifyOptions = {}): Promise<Verification> =>
  verify(folder, options).catch((error: unknown) => { throw fileAccess(error) ?? error; });

const verify = async (folder: string, options: VerifyOptions): Promise<Verification> => {
  if (!(await lstat(folder).catch(() => undefined))?.isDirectory()) throw notABundle(folder, "there is no such folder");
  const read = (list: string): Promise<Buffer> =>
    readPlainFile(join(folder, list), inputLimits.manifestBytes).catch((cause: unknown) => { throw notABundle(folder, `${list}: ${reasonOf(cause)}`, cause); });
  const [sumsBytes, measuredBytes] = [await read(checksumsFile), await read(measuredChecksumsFile)];
  const present = await listFiles(folder);
  const signature = await checkSignature(folder, checksumsFile, signatureFile, sumsBytes, options.key);
  await checkSignature(folder, measuredChecksumsFile, measuredSignatureFile, measuredBytes, options.key);
  const content = parseChecksums(sumsBytes.toString());
  const measured = parseChecksums(measuredBytes.toString(), measuredChecksumsFile);
  const sums = allSums(content, measured);
  const bytes = await checkFiles(folder, sums, present);
  const manifest = await readManifest(folder);
  checkManifest(manifest, content, options.key);
  await readTimings(folder);
  const golden = options.run === false ? null : await (await import("./golden/check.ts")).checkGolden(folder, manifest, options.machine, options.signal);
  return { name: manifest.name, files: sums.size, bytes, contentSha256: sha256Of(sumsBytes), signature, golden };
};

/** Each file is in one of the lists; that of the measurements says which content they belong to. */
const allSums = (content: ReadonlyMap<string, string>, measured: ReadonlyMap<string, string>): Map<string, string> => {
  const wrong = [...content.keys()].find(isMeasured) ?? [...measured.keys()].find((path) => !isMeasured(path) && path !== checksumsFile);
  if (wrong !== undefined) throw inWrongList(wrong);
  if (!measured.has(checksumsFile)) throw inWrongList(checksumsFile);
  return new Map([...content, ...measured]);
};

const checkSignature = async (folder: string, list: string, file: string, sums: Uint8Array, key: KeyObject | undefined): Promise<Verification["signature"]> => {
  const signature = await readPlainFile(join(folder, file), inputLimits.configBytes).catch((cause: unknown) => { if (!isMissing(cause)) throw cause; return undefined; });
  if (!key) return signature ? "not checked" : "unsigned";
  if (!signature) throw unsigned(folder, file);
  if (isSignedBy(sums, signature, key)) return "valid";
  // The manifest is not trusted yet; it only decides which of two errors is shown.
  const claimed = await readManifest(folder).then((manifest) => manifest.signature?.keyId, () => undefined);
  throw claimed !== undefined && claimed !== keyId(key) ? otherKey(claimed, keyId(key)) : badSignature(list, file);
};

const lists: ReadonlySet<string> = new Set([checksumsFile, signatureFile, measuredChecksumsFile, measuredSignatureFile]);

const checkFiles = async (folder: string, sums: ReadonlyMap<string, string>, present: readonly string[]): Promise<number> => {
  const found = new Set(present);
  let total = 0;
  for (const [path, sum] of sums) {
    if (!found.has(path)) throw missing(path);
    const file = join(folder, path);
    total += (await lstat(file)).size;
    if ((await sha256File(file)) !== sum) throw changed(path);
  }
  const extra = present.find((path) => !sums.has(path) && !lists.has(path));
  if (extra !== undefined) throw isExtra(extra);
  return total;
};

/** Throws UserError NOT_A_BUNDLE or BUNDLE_SCHEMA. */
export const readManifest = (folder: string): Promise<Manifest> => readAs(folder, "manifest.json", manifestSchema);

const readTimings = (folder: string): Promise<Timings> => readAs(folder, timedFile, timingsSchema);

const readAs = async <T>(folder: string, file: string, schema: z.ZodType<T>): Promise<T> => {
  const text = await readTextFile(join(folder, file), inputLimits.manifestBytes).catch((cause: unknown) => { throw notABundle(folder, `${file}: ${reasonOf(cause)}`, cause); });
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw badSchema(file, "it is not JSON", cause);
  }
  const { data, problems } = checkSchema(schema, value, "top level");
  if (problems) throw badSchema(file, problemText(problems));
  return data;
};

const checkManifest = ({ models, signature, requirements }: Manifest, sums: ReadonlyMap<string, string>, key: KeyObject | undefined): void => {
  for (const { file, sha256 } of models) {
    if (!isInside(file)) throw leavesBundle(file);
    if (sums.get(file) !== sha256) throw contradicts(`model ${file} has sha256 ${sha256}`, sums.has(file) ? `${checksumsFile} says ${sums.get(file)}` : "there is no such file");
  }
  for (const { id, evidence } of requirements) if (!sums.has(evidence)) throw contradicts(`requirement ${id} names ${evidence}`, "there is no such file");
  if (key && signature?.keyId !== keyId(key)) throw otherKey(signature?.keyId ?? "none", keyId(key));
};

const again = "take the bundle anew from where it was made; if it was changed on purpose, make and sign it again.";

const notABundle = (folder: string, reason: string, cause?: unknown): UserError =>
  new UserError("NOT_A_BUNDLE", `${folder} is not a bundle: ${reason}.`, "give the folder or the .tar that `edgestill bundle` wrote.", { cause });
const unsigned = (folder: string, file: string): UserError => new UserError("BUNDLE_UNSIGNED", `${folder} has no ${file}, so no key can have signed it.`, "ask for a signed bundle, or make one with --sign <private key>.");
const badSignature = (list: string, file: string): UserError => new UserError("BUNDLE_SIGNATURE", `${file} is not the key's signature of ${list}: one of the two was changed.`, again);
const otherKey = (claimed: string, given: string): UserError =>
  new UserError("BUNDLE_KEY", `The bundle was signed with another key: it names ${claimed.slice(0, 16)}…, the given key is ${given.slice(0, 16)}….`, "check that --key is the public key of whom you expect; if it is, do not use the bundle.");
const missing = (path: string): UserError => new UserError("BUNDLE_MISSING", `The file ${path} is missing.`, again);
const changed = (path: string): UserError => new UserError("BUNDLE_CHANGED", `The file ${path} was changed: its sha256 is not the one in ${checksumsFile}.`, again);
const isExtra = (path: string): UserError => new UserError("BUNDLE_EXTRA", `The file ${path} does not belong to the bundle: ${checksumsFile} does not name it.`, "remove it (engines and build folders belong outside the bundle), or take the bundle anew.");
const inWrongList = (path: string): UserError =>
  new UserError("BUNDLE_CHECKSUMS", `${path} is missing in the list of hashes that it belongs to: ${checksumsFile} names the content, ${measuredChecksumsFile} what was measured and ${checksumsFile}.`, again);
const badSchema = (file: string, reason: string, cause?: unknown): UserError => new UserError("BUNDLE_SCHEMA", `${file} does not follow its schema: ${reason}.`, "verify with the version of edgestill that made the bundle (manifest.json, tool.version).", { cause });
const contradicts = (claim: string, fact: string): UserError => new UserError("BUNDLE_MANIFEST", `manifest.json says that ${claim}, but ${fact}.`, again);
