import { hostname, userInfo } from "node:os";
import { checkedRecords } from "./checked-records.ts";
import { isDevice, nameOf, type DeviceEntry, type TargetEntry } from "./inventory.ts";
import type { KindContext, Probe } from "./kind.ts";
import { kindOf } from "./kinds.ts";
import { localTarget } from "./local.ts";
import type { PictureAnswer, PicturesHooks, PicturesTask } from "./pictures.ts";
import { sshTransport } from "./ssh.ts";
import type { Target } from "./target.ts";

/** An entry of the inventory as a target: a device is connected to, and locked, for each benchmark. */
export const openTarget = (entry: TargetEntry): Target => {
  if (!isDevice(entry)) return localTarget(nameOf(entry), entry === "local" ? undefined : entry.threads);
  const kind = kindOf(entry);
  return {
    name: entry.name, kind: entry.kind, runtime: kind.runtime,
    benchmark: (job, hooks = {}) => withDevice(entry, hooks.signal, async (context) => {
      hooks.onMoment?.("connected");
      return checkedRecords(await locked(context, () => kind.benchmark(context, job, hooks)), entry.name);
    }),
  };
};

/** Runs models on pictures on a device that can (`runPictures` of its kind), alone there. */
export const runPicturesOn = (entry: DeviceEntry, tasks: readonly PicturesTask[], hooks: PicturesHooks = {}): Promise<readonly (readonly PictureAnswer[])[]> =>
  withDevice(entry, hooks.signal, (context) => locked(context, () => kindOf(entry).runPictures!(context, tasks, hooks)));

const locked = async <Result>({ transport }: KindContext, work: () => Promise<Result>): Promise<Result> => {
  const lock = await transport.lock(`${userInfo().username}@${hostname()}`);
  try {
    return await work();
  } finally {
    await lock.release();
  }
};

/** Facts of a device and what it lacks. Throws the UserErrors of the transport. */
export const probeTarget = (entry: DeviceEntry, signal?: AbortSignal): Promise<Probe> => withDevice(entry, signal, (context) => kindOf(entry).probe(context, signal));

/** Empties Edgestill's cache on a device; the bytes that were freed. */
export const cleanTarget = (entry: DeviceEntry, signal?: AbortSignal): Promise<number> => withDevice(entry, signal, ({ transport }) => transport.clean());

const withDevice = async <Result>(settings: DeviceEntry, signal: AbortSignal | undefined, work: (context: KindContext) => Promise<Result>): Promise<Result> => {
  const transport = await sshTransport(settings, signal);
  try {
    return await work({ settings, transport });
  } finally {
    await transport.close();
  }
};
