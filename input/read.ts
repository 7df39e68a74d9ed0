import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { mebibytes } from "./limits.ts";
import { kindWord, reasonOf } from "./reason.ts";
import { textOf } from "./text.ts";

/** Why a file is not read; `message` is the end of a sentence that names the file. `code` is the system's, or NOT_A_FILE or TOO_LARGE. */
export class UnreadableFile extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnreadableFile";
    this.code = code;
  }
}

export const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

/**
 * A plain file's bytes. A pipe, device, socket or folder is refused before anything is read, so that none of them can hold the caller up or answer
 * without end; so is a file of more than `maxBytes`. Throws UnreadableFile.
 */
export const readPlainFile = (path: string, maxBytes: number): Promise<Buffer> =>
  withPlainFile(path, (file, sizeBytes) => {
    if (sizeBytes > maxBytes) throw new UnreadableFile("TOO_LARGE", `it has ${mebibytes(sizeBytes)}, more than the ${mebibytes(maxBytes)} that are read`);
    return file.readFile();
  });

const withPlainFile = async <T>(path: string, work: (file: FileHandle, sizeBytes: number) => Promise<T>): Promise<T> => {
  try {
    // without O_NONBLOCK, opening a pipe waits for somebody who writes into it
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new UnreadableFile("NOT_A_FILE", `it is ${kindWord(found)}, not a plain file`);
      return await work(file, found.size);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof UnreadableFile) throw cause;
    throw new UnreadableFile(cause instanceof Error && "code" in cause ? String(cause.code) : "", reasonOf(cause, path), { cause });
  }
};

/** The first bytes of a plain file, `count` at most. Throws UnreadableFile. */
export const readBeginning = (path: string, count: number): Promise<{ readonly bytes: Buffer; readonly sizeBytes: number }> =>
  withPlainFile(path, async (file, sizeBytes) => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(count, sizeBytes)), 0, undefined, 0);
    return { bytes: buffer.subarray(0, bytesRead), sizeBytes };
  });

/** A plain file's text, as `textOf` reads its bytes. Throws UnreadableFile. */
export const readTextFile = async (path: string, maxBytes: number): Promise<string> => {
  const bytes = await readPlainFile(path, maxBytes);
  return textOf(bytes);
};
