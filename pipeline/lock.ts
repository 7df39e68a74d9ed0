import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { kill, pid } from "node:process";
import { UserError } from "../graph/error.ts";

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process in clock ticks (Linux): tells it from a later process of the same number. */
  readonly started: string | null;
}

/** Name of the file in a folder that says who works in it. */
export const lockName = "lock";

/** Takes the folder for this process. A lock whose process is dead is taken over. Returns the release. Throws UserError RUN_LOCKED. */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  const file = join(folder, lockName);
  await mkdir(folder, { recursive: true });
  const mine: Owner = { pid, host: hostname(), started: await startOf(pid) };
  for (let attempt = 0; attempt < 3; attempt++) {
    const taken = await writeFile(file, JSON.stringify(mine), { flag: "wx" }).then(() => true, (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    });
    if (taken) return () => rm(file, { force: true });
    const owner = await readOwner(file);
    if (owner && (await isAlive(owner))) throw locked(folder, owner);
    await rm(file, { force: true });
  }
  throw locked(folder, await readOwner(file));
};

const readOwner = async (file: string): Promise<Owner | undefined> => {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Owner;
  } catch {
    return undefined; // gone, or cut off by a crash: nobody holds it
  }
};

const isAlive = async (owner: Owner): Promise<boolean> => {
  if (owner.host !== hostname()) return true; // cannot be known from here
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

const locked = (folder: string, owner: Owner | undefined): UserError =>
  new UserError("RUN_LOCKED", `Another run is working in ${folder}${owner ? ` (process ${owner.pid} on ${owner.host})` : ""}.`,
    "wait for it to end or stop it; if no such process exists, delete the file `lock` in that folder.");
