import { UserError } from "../graph/error.ts";

export const cannotWrite = (path: string, cause: unknown): UserError =>
  new UserError("CANNOT_WRITE", `Cannot write the bundle ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`, "check the folder, its permissions and the disk's space, or choose another with -o.", { cause });
