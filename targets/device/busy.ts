import { cpus } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import process from "node:process";

/** Other work on the machine, just before measuring: the load average would still hold our own earlier benchmark. */

const windowMs = 500;

/** Milliseconds that all cores together have worked; null where the system does not say. */
const workedMs = (): number | null => {
  const times = cpus().map(({ times }) => times);
  return times.some(({ idle }) => idle > 0) ? times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0) : null;
};

const ownMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Opens the window. The function that comes back waits for its end: mean number of cores that were busy with anything but this process; null where the system does not say. */
export const watchCores = (): (() => Promise<number | null>) => {
  const [started, worked, own] = [performance.now(), workedMs(), ownMs()];
  return async () => {
    await wait(Math.max(0, windowMs - (performance.now() - started)));
    const now = workedMs();
    return worked === null || now === null ? null : Math.max(0, (now - worked - (ownMs() - own)) / (performance.now() - started));
  };
};
