import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { KeyObject } from "node:crypto";
import { UserError } from "../graph/error.ts";
import { parseJson } from "../input/json.ts";
import { inputLimits } from "../input/limits.ts";
import { isMissing, readPlainFile, readTextFile } from "../input/read.ts";
import { fileAccess, reasonOf } from "../input/reason.ts";
import { forbiddenSetting } from "../runtime/model-settings.ts";
import { sha256File } from "../targets/digest.ts";
import { checksumsFile, isInside, leavesBundle, listFiles, parseChecksums, signatureFile } from "./checksums.ts";
import type { GoldenMachine, GoldenOutcome } from "./golden/check.ts";
import { manifestSchema, type Manifest } from "./manifest-schema.ts";
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
  const sumsBytes = await readPlainFile(join(folder, checksumsFile), inputLimits.manifestBytes).catch((cause: unknown) => { throw notABundle(folder, `${checksumsFile}: ${reasonOf(cause)}`, cause); });
  const present = await listFiles(folder);
  const signature = await checkSignature(folder, sumsBytes, options.key);
  const sums = parseChecksums(sumsBytes.toString());
  const bytes = await checkFiles(folder, sums, present);
  const manifest = await readManifest(folder);
  checkManifest(manifest, sums, options.key);
  const golden = options.run === false ? null : await (await import("./golden/check.ts")).checkGolden(folder, manifest, options.machine, options.signal);
  return { name: manifest.name, files: sums.size, bytes, signature, golden };
};

const checkSignature = async (folder: string, sums: Uint8Array, key: KeyObject | undefined): Promise<Verification["signature"]> => {
  const signature = await readPlainFile(join(folder, signatureFile), inputLimits.configBytes).catch((cause: unknown) => { if (!isMissing(cause)) throw cause; return undefined; });
  if (!key) return signature ? "not checked" : "unsigned";
  if (!signature) throw unsigned(folder);
  if (isSignedBy(sums, signature, key)) return "valid";
  // The manifest is not trusted yet; it only decides which of two errors is shown.
  const claimed = await readManifest(folder).then((manifest) => manifest.signature?.keyId, () => undefined);
  throw claimed !== undefined && claimed !== keyId(key) ? otherKey(claimed, keyId(key)) : badSignature();
};

const checkFiles = async (folder: string, sums: ReadonlyMap<string, string>, present: readonly string[]): Promise<number> => {
  const found = new Set(present);
  let total = 0;
  for (const [path, sum] of sums) {
    if (!found.has(path)) throw missing(path);
    const file = join(folder, path);
    total += (await lstat(file)).size;
    if ((await sha256File(file)) !== sum) throw changed(path);
  }
  const extra = present.find((path) => !sums.has(path) && path !== checksumsFile && path !== signatureFile);
  if (extra !== undefined) throw isExtra(extra);
  return total;
};

/** Throws UserError NOT_A_BUNDLE or BUNDLE_SCHEMA. */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const text = await readTextFile(join(folder, "manifest.json"), inputLimits.manifestBytes).catch((cause: unknown) => { throw notABundle(folder, `manifest.json: ${reasonOf(cause)}`, cause); });
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw badSchema("it is not JSON", cause);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badSchema(`${issue!.path.join(".") || "top level"}: ${issue!.message}`, parsed.error);
};

const checkManifest = ({ models, signature, requirements }: Manifest, sums: ReadonlyMap<string, string>, key: KeyObject | undefined): void => {
  for (const { file, sha256, session } of models) {
    const setting = forbiddenSetting(session);
    if (setting !== undefined) throw contradicts(`model ${file} needs the session setting ${setting}`, "a bundle may choose how int8 is computed, and no other setting");
    if (!isInside(file)) throw leavesBundle(file);
    if (sums.get(file) !== sha256) throw contradicts(`model ${file} has sha256 ${sha256}`, sums.has(file) ? `${checksumsFile} says ${sums.get(file)}` : "there is no such file");
  }
  for (const { id, evidence } of requirements) if (!sums.has(evidence)) throw contradicts(`requirement ${id} names ${evidence}`, "there is no such file");
  if (key && signature?.keyId !== keyId(key)) throw otherKey(signature?.keyId ?? "none", keyId(key));
};

const again = "take the bundle anew from where it was made; if it was changed on purpose, make and sign it again.";

const notABundle = (folder: string, reason: string, cause?: unknown): UserError =>
  new UserError("NOT_A_BUNDLE", `${folder} is not a bundle: ${reason}.`, "give the folder or the .tar that `edgestill bundle` wrote.", { cause });
const unsigned = (folder: string): UserError => new UserError("BUNDLE_UNSIGNED", `${folder} has no ${signatureFile}, so no key can have signed it.`, "ask for a signed bundle, or make one with --sign <private key>.");
const badSignature = (): UserError => new UserError("BUNDLE_SIGNATURE", `${signatureFile} is not the key's signature of ${checksumsFile}: one of the two was changed.`, again);
const otherKey = (claimed: string, given: string): UserError =>
  new UserError("BUNDLE_KEY", `The bundle was signed with another key: it names ${claimed.slice(0, 16)}…, the given key is ${given.slice(0, 16)}….`, "check that --key is the public key of whom you expect; if it is, do not use the bundle.");
const missing = (path: string): UserError => new UserError("BUNDLE_MISSING", `The file ${path} is missing.`, again);
const changed = (path: string): UserError => new UserError("BUNDLE_CHANGED", `The file ${path} was changed: its sha256 is not the one in ${checksumsFile}.`, again);
const isExtra = (path: string): UserError => new UserError("BUNDLE_EXTRA", `The file ${path} does not belong to the bundle: ${checksumsFile} does not name it.`, "remove it (engines and build folders belong outside the bundle), or take the bundle anew.");
const badSchema = (reason: string, cause: unknown): UserError => new UserError("BUNDLE_SCHEMA", `manifest.json does not follow its schema: ${reason}.`, "verify with the version of edgestill that made the bundle (manifest.json, tool.version).", { cause });
const contradicts = (claim: string, fact: string): UserError => new UserError("BUNDLE_MANIFEST", `manifest.json says that ${claim}, but ${fact}.`, again);
