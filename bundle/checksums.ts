import { lstat, readdir, readFile } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import { plainProblem, quotedName } from "../escape/names.ts";
import { UserError } from "../graph/error.ts";
import { sha256Of } from "../targets/digest.ts";

/** The list of all files with their sha256, in the form that `sha256sum -c` reads. */
export const checksumsFile = "SHA256SUMS";
export const signatureFile = "SHA256SUMS.sig";

/** Lines `<sha256>  <path>`, sorted by path. */
export const checksumsText = (files: ReadonlyMap<string, Uint8Array>): string =>
  [...files].map(([path, bytes]) => [path, sha256Of(bytes)] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, sum]) => `${sum}  ${path}\n`).join("");

/** Path → sha256. Throws UserError BUNDLE_CHECKSUMS for a line of another form, BUNDLE_PATH for a path that leaves the bundle. */
export const parseChecksums = (text: string): Map<string, string> => {
  const sums = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (!match) throw badLine(index + 1, line);
    const [, sum, path] = match as unknown as [string, string, string];
    if (!isInside(path)) throw leavesBundle(path);
    if (sums.has(path)) throw badLine(index + 1, line);
    sums.set(path, sum);
  }
  return sums;
};

/** A plain relative path that stays in its folder and holds nothing that a name may not hold. */
export const isInside = (path: string): boolean =>
  path !== "" && plainProblem(path) === undefined && !isAbsolute(path) && !/^[A-Za-z]:|[\\\0]/.test(path) && !path.split("/").some((part) => part === "" || part === "." || part === "..") && normalize(path).replaceAll("\\", "/") === path;

/** Every file of a folder by path with `/`. Throws UserError BUNDLE_PATH for a link or anything that is no plain file. */
export const listFiles = async (folder: string, under = ""): Promise<string[]> => {
  const found: string[] = [];
  for (const name of (await readdir(join(folder, under))).sort()) {
    const path = under === "" ? name : `${under}/${name}`;
    const entry = await lstat(join(folder, path));
    if (entry.isDirectory()) found.push(...(await listFiles(folder, path)));
    else if (entry.isFile()) found.push(path);
    else throw notPlain(path);
  }
  return found;
};

export const readFilesOf = async (folder: string): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  for (const path of await listFiles(folder)) files.set(path, await readFile(join(folder, path)));
  return files;
};

const badLine = (line: number, text: string): UserError =>
  new UserError("BUNDLE_CHECKSUMS", `${checksumsFile}:${line} is not "<sha256>  <path>", or names a file twice: "${text.slice(0, 120)}".`, "take the bundle anew from where it was made.");

export const leavesBundle = (path: string): UserError =>
  new UserError("BUNDLE_PATH", `The path ${quotedName(path)} ${plainProblem(path) === undefined ? "leaves the bundle" : `is refused: ${plainProblem(path)}`}.`,
    "do not use this bundle: it names files outside its own folder, or in a way that hides what they are.");

export const notPlain = (path: string): UserError =>
  new UserError("BUNDLE_PATH", `"${path}" is a link or a special file, which could lead out of the bundle.`, "do not use this bundle as it is: a bundle holds plain files only.");
