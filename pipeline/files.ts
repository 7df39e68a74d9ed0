import { dirname } from "node:path";
import { checkWritable, makeFolder, writeWhole } from "../files/write.ts";
import { UserError } from "../graph/error.ts";
import { reasonOf } from "../input/reason.ts";

/** Writes a file whole or not at all; makes its folder. Throws UserError DISK_FULL or CANNOT_WRITE. */
export const writeFileSafely = async (path: string, content: string | Uint8Array): Promise<void> => {
  try {
    await makeFolder(dirname(path));
    await writeWhole(path, content);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw notWritten(path, cause);
  }
};

/** Before long work: that these can be written; see `checkWritable`. Throws UserError CANNOT_WRITE. */
export const checkPlaces = async (...paths: readonly (string | undefined)[]): Promise<void> => {
  for (const path of paths) if (path !== undefined) await checkWritable(path).catch((cause: unknown) => { throw cannotWrite(path, cause); });
};

/** True for ENOSPC anywhere in the chain of causes. */
export const isDiskFull = (error: unknown): boolean => {
  for (let at = error; at instanceof Error; at = at.cause) if ("code" in at && (at.code === "ENOSPC" || at.code === "EDQUOT")) return true;
  return false;
};

/** `place` is named where the system does not say which file it was. */
export const diskFull = (cause: unknown, place: string): UserError => {
  const path = cause instanceof Error && "path" in cause && typeof cause.path === "string" ? cause.path : place;
  return new UserError("DISK_FULL", `The disk is full, while writing ${path}.`, "free some space and run the same command again: everything finished is kept, and training goes on from its last checkpoint.", { cause });
};

/** Why a file was not written: DISK_FULL or CANNOT_WRITE. */
export const notWritten = (path: string, cause: unknown): UserError => (isDiskFull(cause) ? diskFull(cause, path) : cannotWrite(path, cause));

export const cannotWrite = (path: string, cause: unknown): UserError =>
  new UserError("CANNOT_WRITE", `Cannot write ${path}: ${reasonOf(cause, path)}.`, "check the folder and its permissions, or choose another place.", { cause });
