import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { mebibytes } from "./limits.ts";
import { kindWord, reasonOf, UnreadableFile } from "./reason.ts";
import { textOf } from "./text.ts";

export { UnreadableFile };

export const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

/**
 * A plain file's bytes. A pipe, device, socket or folder is refused before anything is read, so that none of them can hold the caller up or answer
 * without end; so is a file of more than `maxBytes`. Throws UnreadableFile.
 */
export const readPlainFile = (path: string, maxBytes: number): Promise<Buffer> =>
  plainFile(path, (file, sizeBytes) => {
    if (sizeBytes > maxBytes) throw new UnreadableFile("TOO_LARGE", `it has ${mebibytes(sizeBytes)}, more than the ${mebibytes(maxBytes)} that are read`, path);
    return file.readFile();
  });

/** Opens a plain file for `work`, which gets its size too, and closes it. Throws UnreadableFile, for the system's errors in `work` too. */
export const plainFile = async <T>(path: string, work: (file: FileHandle, sizeBytes: number) => Promise<T>): Promise<T> => {
  const { file, sizeBytes } = await openPlainFile(path);
  try {
    return await work(file, sizeBytes);
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    await file.close();
  }
};

/** The same for a caller that closes the file itself. Throws UnreadableFile. */
export const openPlainFile = async (path: string): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }> => {
  // without O_NONBLOCK, opening a pipe waits for somebody who writes into it
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: unknown) => { throw unreadable(path, cause); });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new UnreadableFile("NOT_A_FILE", `it is ${kindWord(found)}, not a plain file`, path);
    return { file, sizeBytes: found.size };
  } catch (cause) {
    await file.close();
    throw unreadable(path, cause);
  }
};

const unreadable = (path: string, cause: unknown): UnreadableFile =>
  cause instanceof UnreadableFile ? cause : new UnreadableFile(cause instanceof Error && "code" in cause ? String(cause.code) : "", reasonOf(cause, path), path, { cause });

/** The first bytes of a plain file, `count` at most. Throws UnreadableFile. */
export const readBeginning = (path: string, count: number): Promise<{ readonly bytes: Buffer; readonly sizeBytes: number }> =>
  plainFile(path, async (file, sizeBytes) => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(count, sizeBytes)), 0, undefined, 0);
    return { bytes: buffer.subarray(0, bytesRead), sizeBytes };
  });

/** A plain file's text, as `textOf` reads its bytes. Throws UnreadableFile. */
export const readTextFile = async (path: string, maxBytes: number): Promise<string> => {
  const bytes = await readPlainFile(path, maxBytes);
  return textOf(bytes);
};
