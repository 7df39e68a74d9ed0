import { listProblem, quotedName } from "../escape/names.ts";
import { UserError } from "../graph/error.ts";

/** A model's class names that may be written and shown (`escape/names.ts`); the same name twice is one class to all that looks for it by name. Throws UserError BAD_CLASS_NAMES. */
export const checkedNames = (names: readonly string[], label: string, given: boolean): readonly string[] => {
  const found = listProblem(names);
  if (!found) return names;
  throw new UserError(
    "BAD_CLASS_NAMES",
    `${given ? `The given class names of ${label}` : `The class names in the metadata of ${label}`}: class ${found.index}, ${quotedName(found.name)}, is refused: ${found.problem}.`,
    given
      ? "write them as visible characters, each at most 256 characters long."
      : "give the class list (--names, or classes in the config), or export the model again with names of visible characters.",
  );
};
