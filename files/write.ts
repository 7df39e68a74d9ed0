import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { access, mkdir, open, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

/** Names of files that are being written: none is longer than what it will replace may be. */
const partialName = /^\.edgestill-[0-9a-f-]{36}\.partial$/;
/** A file that nobody has written to for so long is left over from a process that was ended. */
const leftOverMs = 24 * 3600 * 1000;

/** Checks that must hold before something is written below a folder. */
const guards = new Map<string, () => void>();

/** From now on `check`, which throws where it must not be done, is called before anything is written below the folder. Returns what ends that. */
export const guardFolder = (folder: string, check: () => void): (() => void) => {
  const key = resolve(folder) + sep;
  guards.set(key, check);
  return () => { if (guards.get(key) === check) guards.delete(key); };
};

const checkGuards = (path: string): void => {
  for (const [folder, check] of guards) if (path.startsWith(folder)) check();
};

/**
 * Writes a file whole or not at all: a reader sees the old file or the new one, also where the disk fills up or a limit of size is reached in the middle. The
 * folder must be there. A link stays a link, a file keeps its mode and owner; a device or a pipe is written to, never replaced. Several pieces are one content.
 * Throws the system's errors, and those of the folder's guards.
 */
export const writeWhole = async (path: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<void> => {
  checkGuards(resolve(path));
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => undefined);
  if (there && !there.isFile()) return writeFile(target, piecesOf(content));
  const partial = join(dirname(target), `.edgestill-${randomUUID()}.partial`);
  try {
    await writeFlushed(partial, content, there);
    checkGuards(resolve(path));
    await rename(partial, target);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined); // the first failure is the one to report
    if (cause instanceof Error && "syscall" in cause) Object.assign(cause, { path }); // the system names the partial file, or none
    throw cause;
  }
};

/**
 * Before long work: that its result can be written to `path`, as far as the system tells without writing. A folder that is missing passes: who writes makes it, or says so.
 * Throws the system's errors.
 */
export const checkWritable = async (path: string): Promise<void> => {
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory()) throw Object.assign(new Error(`EISDIR: ${path}`), { code: "EISDIR", path });
  const place = there && !there.isFile() ? target : dirname(target);
  await access(place, constants.W_OK).catch((cause: NodeJS.ErrnoException) => { if (cause.code !== "ENOENT") throw Object.assign(cause, { path }); });
};

const piecesOf = (content: string | Uint8Array | readonly Uint8Array[]): readonly (string | Uint8Array)[] =>
  typeof content === "string" || content instanceof Uint8Array ? [content] : content;

/** `writeFile` of a handle goes on after a part was written, as the system may write less than it was given; a single `write` does not. */
const writeFlushed = async (path: string, content: string | Uint8Array | readonly Uint8Array[], like: Stats | undefined): Promise<void> => {
  const file = await open(path, "wx");
  try {
    for (const piece of piecesOf(content)) await file.writeFile(piece);
    if (like) {
      await file.chown(like.uid, like.gid).catch(() => undefined); // only root may give a file away
      await file.chmod(like.mode & 0o7777).catch(() => undefined); // some file systems have no modes
    }
    await file.sync();
  } finally {
    await file.close();
  }
};

/**
 * Makes a folder and those above it; one that is there is well. Node.js' own `recursive` never ends where the system has the folder above and refuses with ENOENT,
 * as it does below /proc. Throws the system's errors.
 */
export const makeFolder = async (folder: string): Promise<void> => {
  const make = (): Promise<void> => mkdir(folder).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST" || !(await stat(folder)).isDirectory()) throw cause;
  });
  await make().catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT" || dirname(folder) === folder) throw cause;
    await makeFolder(dirname(folder));
    await make();
  });
};

/** Removes what ended processes have left of their writing anywhere below a folder. Never throws. */
export const removeLeftOvers = async (folder: string, now = Date.now()): Promise<void> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter(({ name }) => partialName.test(name))) {
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => undefined);
    if (found && now - found.mtimeMs > leftOverMs) await rm(path, { force: true }).catch(() => undefined);
  }
};
