import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../graph/error.ts";
import type { Report } from "./dataset.ts";
import { inputLimits } from "../../input/limits.ts";
import { isMissing, readBeginning, readTextFile } from "../../input/read.ts";
import { reasonOf } from "../../input/reason.ts";
import { textOf } from "../../input/text.ts";

const imageExtensions = new Set([".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".avif", ".tif", ".tiff", ".gif", ".bmp", ".dib"]);
/** Pictures that the decoder does not read. */
const otherImageExtensions = new Set([
  ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".jxr", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw", ".exr", ".hdr", ".psd", ".pcx", ".ico", ".sr", ".ras", ".svg",
]);

const extensionOf = (file: string) => path.extname(file).toLowerCase();
export const isImageFile = (file: string) => imageExtensions.has(extensionOf(file));
/** A picture by its name, but of a format that is not read. */
export const isUnreadImageFile = (file: string) => otherImageExtensions.has(extensionOf(file));

/** A folder's pictures, and a note on those of other formats. */
export async function listPictureFiles(folder: string): Promise<{ files: string[]; notes: string[] }> {
  const all = await listFiles(folder, (file) => isImageFile(file) || isUnreadImageFile(file));
  const unread = all.filter(isUnreadImageFile);
  const notes = unread.length > 0 ? [`${named(unread, "picture", folder)}: not read (formats: JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF); convert them`] : [];
  return { files: all.filter(isImageFile), notes };
}

/** `3 pictures (a.heic, b.heic, c.heic)`; more than four are cut to three and `…`. Paths are written relative to `root`. */
export function named(files: readonly string[], what: string, root?: string): string {
  const shown = files.slice(0, files.length > 4 ? 3 : 4).map((file) => (root === undefined ? file : relativeId(root, file)));
  return `${files.length} ${what}${files.length === 1 ? "" : "s"} (${[...shown, ...(files.length > shown.length ? ["…"] : [])].join(", ")})`;
}

/** All files under a folder that pass, as full paths in code-point order; links that lead nowhere too. Hidden files and folders are not entered. */
export async function listFiles(folder: string, wanted: (file: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  const pending = [folder];
  const refused = (cause: unknown): never => { throw unreadable(folder, cause); };
  const entered = new Set([await realpath(folder).catch(refused)]); // a link to a folder above would never end
  for (let next = pending.pop(); next !== undefined; next = pending.pop())
    for (const entry of await entriesOf(next)) {
      const full = path.join(next, entry.name);
      if (entry.name.startsWith(".")) continue;
      const kind = entry.isSymbolicLink() ? ((await kindOf(full)) ?? "file") : entry.isDirectory() ? "folder" : "file";
      if (kind === "file" && wanted(full)) found.push(full);
      if (kind !== "folder") continue;
      const target = await realpath(full).catch(refused);
      if (!entered.has(target)) pending.push(full);
      entered.add(target);
    }
  return found.sort(byCodePoint);
}

/** The folder's entries. Throws UserError DATASET_UNREADABLE. */
export const entriesOf = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true }).catch((cause: unknown) => { throw unreadable(folder, cause); });

export const byCodePoint = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export async function kindOf(file: string): Promise<"file" | "folder" | undefined> {
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "EACCES") throw unreadable(file, cause); // it may be there
    return undefined;
  });
  if (found?.isDirectory()) return "folder";
  return found?.isFile() ? "file" : undefined;
}

/** The file's text, or undefined where there is no such file. `maxBytes`: default for the labels of one picture. Throws UserError DATASET_UNREADABLE. */
export async function readIfPresent(file: string, maxBytes: number = inputLimits.labelBytes): Promise<string | undefined> {
  try {
    return await readTextFile(file, maxBytes);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw unreadable(file, cause);
  }
}

/** As `readIfPresent`, for the labels of one picture: what cannot be read is a problem of this file, and null. */
export async function readLabels(file: string, report: Report): Promise<string | undefined | null> {
  try {
    return await readTextFile(file, inputLimits.labelBytes);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    report({ file, message: `the labels cannot be read: ${reasonOf(cause, file)}` });
    return null;
  }
}

/** The beginning of a file's text; "" of what is no plain file or cannot be read: such a file is no file of labels. */
export const beginningOf = async (file: string, bytes: number): Promise<string> => readBeginning(file, bytes).then((read) => textOf(read.bytes), () => "");

/** `path.relative` with `/`. */
export const relativeId = (root: string, file: string) => path.relative(root, file).split(path.sep).join("/");

/** Runs `work` over the items, `parallel` at a time; results in the items' order. */
export async function mapParallel<T, R>(items: readonly T[], parallel: number, work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!, index);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  return results;
}

const unreadable = (file: string, cause: unknown) =>
  new UserError("DATASET_UNREADABLE", `Cannot read "${file}": ${reasonOf(cause, file)}.`, "check the file and its permissions.", {
    cause,
  });
