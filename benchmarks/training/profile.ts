import { readFileSync } from "node:fs";

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

export interface ProfileRow {
  readonly op: string;
  readonly milliseconds: number;
  readonly calls: number;
}

/** Time by op type per step, from a profile of several steps: each node's fastest step, so that a shared machine shows less. The slowest op first. */
export const profileByOp = (path: string): readonly ProfileRow[] => {
  const events = JSON.parse(readFileSync(path, "utf8")) as readonly Event[];
  const fastest = new Map<string, { op: string; microseconds: number }>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time") || !args?.op_name) continue;
    fastest.set(name, { op: args.op_name, microseconds: Math.min(dur, fastest.get(name)?.microseconds ?? Infinity) });
  }
  const rows = new Map<string, { milliseconds: number; calls: number }>();
  for (const { op, microseconds } of fastest.values()) {
    const row = rows.get(op) ?? { milliseconds: 0, calls: 0 };
    rows.set(op, { milliseconds: row.milliseconds + microseconds / 1000, calls: row.calls + 1 });
  }
  return [...rows].map(([op, row]) => ({ op, ...row })).sort((a, b) => b.milliseconds - a.milliseconds);
};
