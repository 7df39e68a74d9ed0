import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { textOf } from "./text.ts";
import path from "node:path";
import { UserError } from "../../graph/error.ts";

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
  const entered = new Set([await realpath(folder)]); // a link to a folder above would never end
  for (let next = pending.pop(); next !== undefined; next = pending.pop())
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const full = path.join(next, entry.name);
      if (entry.name.startsWith(".")) continue;
      const kind = entry.isSymbolicLink() ? ((await kindOf(full)) ?? "file") : entry.isDirectory() ? "folder" : "file";
      if (kind === "file" && wanted(full)) found.push(full);
      if (kind !== "folder") continue;
      const target = await realpath(full);
      if (!entered.has(target)) pending.push(full);
      entered.add(target);
    }
  return found.sort(byCodePoint);
}

export const byCodePoint = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export async function kindOf(file: string): Promise<"file" | "folder" | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) return "folder";
  return found?.isFile() ? "file" : undefined;
}

/** The file's text, or undefined where there is no such file. Other failures throw. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return textOf(await readFile(file));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return undefined;
    throw unreadable(file, cause);
  }
}

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
  new UserError("DATASET_UNREADABLE", `Cannot read "${file}": ${cause instanceof Error ? cause.message : String(cause)}.`, "check the file and its permissions.", {
    cause,
  });
