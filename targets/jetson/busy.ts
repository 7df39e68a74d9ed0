import type { Transport } from "../transport.ts";

/** Half a second between two looks at the time that the cores have worked. */
const script = "grep '^cpu' /proc/stat; echo then; sleep 0.5; grep '^cpu' /proc/stat";

/** Cores that are busy now, before anything is measured; null where the device does not say. */
export const readBusyCores = async (transport: Transport, signal?: AbortSignal): Promise<number | null> => {
  const [before = "", after = ""] = (await transport.script(script, [], { signal })).stdout.split("then\n");
  return busyCoresBetween(before, after);
};

/** Mean number of busy cores between two readings of /proc/stat (proc(5): user, nice, system, idle, iowait, irq, softirq, steal in ticks); null where they are none. */
export const busyCoresBetween = (before: string, after: string): number | null => {
  const [[busyBefore, allBefore], [busyAfter, allAfter]] = [ticksOf(before), ticksOf(after)];
  const share = (busyAfter - busyBefore) / (allAfter - allBefore);
  return Number.isFinite(share) ? share * (after.match(/^cpu\d+ /gm) ?? []).length : null;
};

const ticksOf = (text: string): readonly [busy: number, all: number] => {
  const ticks = (/^cpu +(.+)$/m.exec(text)?.[1] ?? "").split(" ").slice(0, 8).map(Number);
  const [user = Number.NaN, nice = 0, system = 0, , , irq = 0, softirq = 0] = ticks;
  return [user + nice + system + irq + softirq, ticks.reduce((sum, value) => sum + value, 0)];
};
