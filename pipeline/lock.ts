import { randomUUID } from "node:crypto";
import { link, open, readFile, readlink, rename, rm, unlink, writeFile, type FileHandle } from "node:fs/promises";
import { statSync, type BigIntStats } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { kill, pid } from "node:process";
import { guardFolder, makeFolder } from "../files/write.ts";
import { UserError } from "../graph/error.ts";
import { parseJson } from "../input/json.ts";
import { inputLimits } from "../input/limits.ts";
import { isMissing, readTextFile } from "../input/read.ts";
import { notWritten } from "./files.ts";

/**
 * One run at a time in a folder, also where several machines share it. The holder touches its lock every few seconds. A holder on this machine is asked
 * for by its process id; any other is watched: its lock is taken over when nobody has touched it for a while. Only changes are looked at, so clocks
 * that differ or jump do not matter.
 */
export const lockTimes = { beatMs: 3_000, watchMs: 45_000 } as const;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process in clock ticks (Linux): tells it from a later process of the same number. */
  readonly started: string | null;
  /** Boot and process space of the host: two of one name are told apart, as containers are. */
  readonly system: string | null;
  readonly token: string;
}

/** Name of the file in a folder that says who works in it. */
export const lockName = "lock";

export interface LockOptions {
  readonly beatMs?: number;
  readonly watchMs?: number;
  /** Told when the lock of another machine is watched. */
  readonly onWait?: (line: string) => void;
}

/** Called, it releases the folder. */
export interface FolderLock {
  (): Promise<void>;
  /** Aborted with UserError LOCK_LOST where the lock is found gone or another's: within one beat, and before anything more is written in the folder. */
  readonly lost: AbortSignal;
}

/** Takes the folder for this process. A lock whose holder is gone is taken over. Throws UserError RUN_LOCKED, CANNOT_WRITE or DISK_FULL. */
export const lockFolder = async (folder: string, options: LockOptions = {}): Promise<FolderLock> => {
  const { beatMs = lockTimes.beatMs } = options;
  const file = join(folder, lockName);
  const mine: Owner = { pid, host: hostname(), started: await startOf(pid), system: await systemOf(), token: randomUUID() };
  try {
    await makeFolder(folder);
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await create(file, JSON.stringify(mine))) return await hold(folder, file, mine, beatMs);
      await takeOver(folder, file, options);
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw notWritten(file, cause);
  }
  throw locked(folder, await readOwner(file));
};

/** The lock appears with its whole content, or not at all: nobody reads half of it. */
const create = async (file: string, text: string): Promise<boolean> => {
  const own = `${file}.${randomUUID()}`;
  try {
    await writeFile(own, text, { flag: "wx" });
    await link(own, file);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === "EPERM" || code === "ENOTSUP" || code === "EOPNOTSUPP" || code === "ENOSYS" || code === "EMLINK") return await createPlain(file, text); // no links on this file system
    throw cause;
  } finally {
    await rm(own, { force: true }).catch(() => undefined); // the first failure is the one to report
  }
};

const createPlain = (file: string, text: string): Promise<boolean> => writeFile(file, text, { flag: "wx" }).then(() => true, (cause: NodeJS.ErrnoException) => {
  if (cause.code === "EEXIST") return false;
  throw cause;
});

/**
 * Touches the lock through its open file: one that was taken over meanwhile is never touched. A process that was suspended for long, or whose folder was removed,
 * finds another lock or none when it goes on: it must not write there.
 */
const hold = async (folder: string, file: string, { token }: Owner, beatMs: number): Promise<FolderLock> => {
  const handle = await open(file, "r+");
  const mine = await handle.stat({ bigint: true });
  const loss = new AbortController();
  const check = (): void => {
    if (!loss.signal.aborted && !isSame(file, mine)) loss.abort(lockLost(folder));
    loss.signal.throwIfAborted();
  };
  let beat = 0;
  const timer = setInterval(() => {
    try {
      check();
    } catch {
      return clearInterval(timer); // whoever works in the folder has been told
    }
    void handle.utimes(0, ++beat).catch(() => undefined);
  }, beatMs).unref();
  const endGuard = guardFolder(folder, check);
  const release = async (): Promise<void> => {
    clearInterval(timer);
    endGuard();
    await handle.close().catch(() => undefined);
    if ((await readOwner(file).catch(() => undefined))?.token === token) await rm(file, { force: true }).catch(() => undefined);
  };
  return Object.assign(release, { lost: loss.signal });
};

/** Whether the path still leads to the file that was locked. True where the system cannot tell: what writes there will say why. */
const isSame = (file: string, { dev, ino }: BigIntStats): boolean => {
  try {
    const now = statSync(file, { bigint: true });
    return now.ino === ino && now.dev === dev;
  } catch (error) {
    return !isMissing(error);
  }
};

const lockLost = (folder: string): UserError =>
  new UserError("LOCK_LOST", `The lock of ${folder} is gone or another run's: the folder was removed, or this process was suspended for so long that another run took it over.`,
    "wait for the other run to end, then run the same command again: what is finished is kept.");

/** Removes the lock that is there, where its holder is gone. Throws UserError RUN_LOCKED where it is not. */
const takeOver = async (folder: string, file: string, { watchMs = lockTimes.watchMs, beatMs = lockTimes.beatMs, onWait }: LockOptions): Promise<void> => {
  const seen = await stateOf(file);
  if (seen === undefined) return;
  const owner = await readOwner(file);
  const answer = owner && (await isAlive(owner));
  if (answer === true) throw locked(folder, owner);
  if (answer === undefined) {
    onWait?.(`the lock of ${folder} is held ${owner ? `by process ${owner.pid} on ${owner.host}` : "by nobody who can be read"}: looking for up to ${Math.round(watchMs / 1000)} s whether somebody is there`);
    const end = performance.now() + (owner ? watchMs : Math.min(watchMs, 1000));
    while (performance.now() < end) {
      await new Promise((resolve) => { setTimeout(resolve, Math.min(beatMs, 1000)); });
      const now = await stateOf(file);
      if (now === undefined) return;
      if (now !== seen) throw locked(folder, owner ?? (await readOwner(file)));
    }
  }
  await removeSeen(file, seen);
};

/** Two that find the same lock dead must not remove the lock that the faster one has made by then. */
const removeSeen = async (file: string, seen: string): Promise<void> => {
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch((cause: unknown) => { if (!isMissing(cause)) throw cause; });
  const moved = await stateOf(aside);
  if (moved !== undefined && moved !== seen) await link(aside, file).catch(() => undefined); // somebody's new lock: back
  await unlink(aside).catch(() => undefined);
};

/** Which file the lock is, and when it was touched last, by the clock of whoever touched it; undefined where there is none. */
const stateOf = async (file: string): Promise<string | undefined> => {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "r"); // opening it makes a network file system look anew
    const { ino, mtimeMs, size } = await handle.stat();
    return `${ino} ${mtimeMs} ${size}`;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  } finally {
    await handle?.close();
  }
};

/** Undefined where the file is gone or was cut off. */
const readOwner = async (file: string): Promise<Owner | undefined> => {
  const text = await readTextFile(file, inputLimits.configBytes).catch((cause: unknown) => { if (!isMissing(cause)) throw cause; return ""; });
  try {
    const value = parseJson(text) as Partial<Owner> | null;
    return Number.isSafeInteger(value?.pid) && value!.pid! > 0 && typeof value!.host === "string" ? { started: null, system: null, token: "", ...value } as Owner : undefined;
  } catch {
    return undefined;
  }
};

/** Undefined where it cannot be known from here. */
const isAlive = async (owner: Owner): Promise<boolean | undefined> => {
  if (owner.host !== hostname() || (owner.system !== null && owner.system !== (await systemOf()))) return undefined;
  try {
    kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return owner.started === null || owner.started === (await startOf(owner.pid));
};

/** Field 22 of /proc/<pid>/stat; null where there is no such file system. */
const startOf = async (process: number): Promise<string | null> => {
  const stat = await readFile(`/proc/${process}/stat`, "utf8").catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
};

const systemOf = async (): Promise<string | null> => {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined);
  const space = await readlink("/proc/self/ns/pid").catch(() => "");
  return boot === undefined ? null : `${boot.trim()} ${space}`;
};

const locked = (folder: string, owner: Owner | undefined): UserError =>
  new UserError("RUN_LOCKED", `Another run is working in ${folder}${owner ? ` (process ${owner.pid} on ${owner.host})` : ""}.`,
    "wait for it to end, or stop it; the lock of a process that is gone is taken over by itself.");
