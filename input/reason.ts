import type { Stats } from "node:fs";
import { UserError } from "../graph/error.ts";

/** What the system's codes mean, as the end of a sentence that names the file. */
const meanings: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file", ENOTDIR: "a part of its path is no folder", EISDIR: "it is a folder, not a plain file", EACCES: "permission is denied", EPERM: "permission is denied",
  EROFS: "the file system is read-only", ELOOP: "its links form a loop", ENAMETOOLONG: "its path is too long", ENXIO: "it is a socket or a device, not a plain file",
  EMFILE: "too many files are open", ENFILE: "too many files are open", EIO: "the disk reports an error", ENOSPC: "the disk is full", EDQUOT: "the disk quota is used up",
  ESTALE: "the network folder is gone", EBUSY: "it is in use", ENOTEMPTY: "the folder is not empty", EEXIST: "there is a file of that name already", EINVAL: "the system refuses the name or the request",
  ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB", ERR_STRING_TOO_LONG: "it is longer than the longest text", ERR_INVALID_ARG_VALUE: "its name holds a character that no file name may hold", EFBIG: "it is larger than the file system or the limit of file size (`ulimit -f`) allows",
};

/** Why a file is not read; `message` is the end of a sentence that names the file. `code` is the system's, or NOT_A_FILE or TOO_LARGE. */
export class UnreadableFile extends Error {
  readonly code: string;
  readonly path: string;

  constructor(code: string, message: string, path: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnreadableFile";
    this.code = code;
    this.path = path;
  }
}

/** Why the system refused, in words. */
export const reasonOf = (cause: unknown, path = ""): string => {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "ENOENT" && path.includes("\uFFFD")) return "its name is not UTF-8, so it cannot be opened: rename it";
  return Object.hasOwn(meanings, code) ? meanings[code]! : cause.message.replace(/\.$/, "");
};

export const kindWord = (found: Stats): string =>
  found.isDirectory() ? "a folder" : found.isFIFO() ? "a pipe" : found.isSocket() ? "a socket" : found.isCharacterDevice() || found.isBlockDevice() ? "a device" : "a special file";

const isSystemError = (error: unknown): error is NodeJS.ErrnoException & { readonly code: string } =>
  error instanceof UnreadableFile || error instanceof Error && !(error instanceof UserError) && "code" in error && typeof error.code === "string" && Object.hasOwn(meanings, error.code);

/** An error of the file system as a UserError: FILE_ACCESS, naming the file; DISK_FULL. Undefined for all others. */
export const fileAccess = (error: unknown): UserError | undefined => {
  if (!isSystemError(error)) return undefined;
  const place = error.path ?? "dest" in error ? String(error.path ?? (error as { readonly dest?: unknown }).dest) : "a file";
  if (error.code === "ENOSPC" || error.code === "EDQUOT")
    return new UserError("DISK_FULL", `The disk is full, while writing ${place}.`, "free some space and run the same command again: everything finished is kept.", { cause: error });
  return new UserError("FILE_ACCESS", `Cannot use ${place}: ${reasonOf(error, error.path)}${error.syscall === undefined ? "" : ` (${error.syscall})`}.`,
    "check that the folder is there and who may read and write it; then run the same command again: what is finished is kept.", { cause: error });
};
