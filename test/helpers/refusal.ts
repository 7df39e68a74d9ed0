import { UserError } from "../../graph/error.ts";

/** The UserError that `work` is refused with; fails where it is not. */
export const refusal = async (work: Promise<unknown>): Promise<UserError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};
