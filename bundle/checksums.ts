import { lstat, readdir } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import { plainProblem, quotedName } from "../escape/names.ts";
import { UserError } from "../graph/error.ts";
import { inputLimits } from "../input/limits.ts";
import { readPlainFile } from "../input/read.ts";
import { sha256Of } from "../files/digest.ts";

/** The list of all files with their sha256, in the form that `sha256sum -c` reads. */
export const checksumsFile = "SHA256SUMS";
export const signatureFile = "SHA256SUMS.sig";
/** The same of what was measured, and of the list itself; see measured.ts. */
export const measuredChecksumsFile = "SHA256SUMS.measured";
export const measuredSignatureFile = "SHA256SUMS.measured.sig";

/** Lines `<sha256>  <path>`, sorted by path. */
export const checksumsText = (files: ReadonlyMap<string, Uint8Array>): string =>
  [...files].map(([path, bytes]) => [path, sha256Of(bytes)] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, sum]) => `${sum}  ${path}\n`).join("");

/** Path → sha256. Throws UserError BUNDLE_CHECKSUMS for a line of another form, BUNDLE_PATH for a path that leaves the bundle. */
export const parseChecksums = (text: string, list = checksumsFile): Map<string, string> => {
  const sums = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (!match) throw badLine(list, index + 1, line);
    const [, sum, path] = match as unknown as [string, string, string];
    if (!isInside(path)) throw leavesBundle(path);
    if (sums.has(path)) throw badLine(list, index + 1, line);
    sums.set(path, sum);
  }
  return sums;
};

/** A plain relative path that stays in its folder and holds nothing that a name may not hold. */
export const isInside = (path: string): boolean =>
  path !== "" && plainProblem(path) === undefined && !isAbsolute(path) && !/^[A-Za-z]:|[\\\0]/.test(path) && !path.split("/").some((part) => part === "" || part === "." || part === "..") && normalize(path).replaceAll("\\", "/") === path;

/** What a bundle may hold at most: that of the largest detectors is well below. */
export const bundleLimits = { bytes: 2 ** 32, files: 20_000 } as const;

/**
 * Every file of a folder by path with `/`, sorted. Throws UserError BUNDLE_PATH for a link, anything that is no plain file, and a name that other
 * systems cannot hold; BUNDLE_SIZE for more files than a bundle has.
 */
export const listFiles = async (folder: string, under = ""): Promise<string[]> => {
  const found: string[] = [];
  const pending = [under];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const name of await readdir(join(folder, next))) {
      const path = next === "" ? name : `${next}/${name}`;
      const entry = await lstat(join(folder, path));
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile()) found.push(path);
      else throw notPlain(path);
      if (found.length + pending.length > bundleLimits.files) throw tooLarge(folder, bundleLimits);
    }
  }
  found.sort().forEach(nameChecker());
  return found;
};

/** Names of devices on Windows, whatever follows their first point. */
const deviceName = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
const forbiddenCharacters = /[\u0000-\u001f\u007f<>:"|?*\uFFFD]/;
const longestName = 255;

/** Why a part of a path cannot be a file's name on every system; undefined where it can. */
const nameFault = (part: string): string | undefined => {
  if (forbiddenCharacters.test(part)) return "has a character that some systems do not allow in names";
  if (deviceName.test(part)) return "is the name of a device on Windows";
  if (/[. ]$/.test(part)) return "ends with a point or a space, which Windows drops";
  return Buffer.byteLength(part) > longestName ? `is longer than ${longestName} bytes` : undefined;
};

/** Takes paths one by one: each must mean a file of its own on every system, not differ from another in case or in how accents are written alone. Throws UserError BUNDLE_PATH. */
export const nameChecker = (): ((path: string) => void) => {
  const written = new Map<string, string>();
  return (path) => {
    const parts = path.split("/");
    for (const [index, part] of parts.entries()) {
      const fault = nameFault(part);
      if (fault !== undefined) throw badName(path, fault);
      const place = parts.slice(0, index + 1).join("/");
      const folded = place.normalize("NFKC").toLowerCase().toUpperCase();
      const before = written.get(folded);
      if (before !== undefined && before !== place) throw badName(path, `is one with "${before}" on systems that do not tell case or accents apart`);
      written.set(folded, place);
    }
  };
};

/** Every file of a bundle's folder. Throws UserError as `listFiles` does, and UnreadableFile where a file became something else meanwhile. */
export const readFilesOf = async (folder: string): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  for (const path of await listFiles(folder)) files.set(path, await readPlainFile(join(folder, path), inputLimits.wholeFileBytes));
  return files;
};

const badLine = (list: string, line: number, text: string): UserError =>
  new UserError("BUNDLE_CHECKSUMS", `${list}:${line} is not "<sha256>  <path>", or names a file twice: "${text.slice(0, 120)}".`, "take the bundle anew from where it was made.");

const badName = (path: string, fault: string): UserError =>
  new UserError("BUNDLE_PATH", `The path "${path.slice(0, 300)}" ${fault}.`, "do not use this bundle: no bundle that edgestill writes has such a name.");

export const tooLarge = (place: string, { bytes, files }: { readonly bytes: number; readonly files: number }): UserError =>
  new UserError("BUNDLE_SIZE", `${place} holds more than ${files} files or ${(bytes / 2 ** 20).toFixed(0)} MiB.`, "no bundle is so large: do not use it.");

export const leavesBundle = (path: string): UserError =>
  new UserError("BUNDLE_PATH", `The path ${quotedName(path)} ${plainProblem(path) === undefined ? "leaves the bundle" : `is refused: ${plainProblem(path)}`}.`,
    "do not use this bundle: it names files outside its own folder, or in a way that hides what they are.");

export const notPlain = (path: string): UserError =>
  new UserError("BUNDLE_PATH", `"${path}" is a link or a special file, which could lead out of the bundle.`, "do not use this bundle as it is: a bundle holds plain files only.");
