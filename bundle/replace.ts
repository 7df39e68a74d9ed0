import { chmod, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMissing } from "../input/read.ts";
import { isProgram } from "./archive.ts";

/**
 * A folder of these files, in place of one that is there. All are written beside it, then two renames put the old folder aside and the new one in: whenever the process
 * ends, the old or the new one is whole, and the next call tidies up what was left. Throws the system's errors.
 */
export const replaceFolder = async (folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> => {
  const [partial, aside] = [`${folder}.part`, `${folder}.old`];
  await rm(partial, { recursive: true, force: true });
  if (await isThere(folder)) await rm(aside, { recursive: true, force: true });
  else await renameIfThere(aside, folder); // ended between the two renames
  try {
    for (const [path, bytes] of files) {
      const file = join(partial, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
      if (isProgram(path)) await chmod(file, 0o755);
    }
    await renameIfThere(folder, aside);
    await rename(partial, folder).catch(async (cause: unknown) => {
      await renameIfThere(aside, folder);
      throw cause;
    });
  } catch (cause) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined); // the first failure is the one to report
    throw cause;
  }
  await rm(aside, { recursive: true, force: true });
};

const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, (cause: unknown) => {
  if (isMissing(cause)) return false;
  throw cause;
});

const renameIfThere = (from: string, to: string): Promise<void> => rename(from, to).catch((cause: unknown) => { if (!isMissing(cause)) throw cause; });
