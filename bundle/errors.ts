import { UserError } from "../graph/error.ts";
import { reasonOf } from "../input/reason.ts";

export const cannotWrite = (path: string, cause: unknown): UserError =>
  new UserError("CANNOT_WRITE", `Cannot write the bundle ${path}: ${reasonOf(cause, path)}.`, "check the folder, its permissions and the disk's space, or choose another with -o.", { cause });
