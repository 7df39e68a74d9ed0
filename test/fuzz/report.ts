import type { Campaign, Tally } from "./campaign.ts";
import { faults, type Outcome } from "./outcome.ts";

const columns: readonly Outcome["is"][] = ["accepted", "refused", ...faults];

export const faultsOf = ({ outcomes }: Tally): number => faults.reduce((sum, fault) => sum + outcomes[fault], 0);

/** A row for each kind and one for all. */
const rowsOf = (tallies: readonly Tally[]): (readonly (string | number)[])[] => {
  const row = (name: string, of: readonly Tally[]) => [
    name,
    of.reduce((sum, { inputs }) => sum + inputs, 0),
    ...columns.map((is) => of.reduce((sum, { outcomes }) => sum + outcomes[is], 0)),
    new Set(of.flatMap(({ codes }) => [...codes.keys()])).size,
  ];
  return [...tallies.map((tally) => row(tally.kind.name, [tally])), row("all", tallies)];
};

const heads = ["kind", "inputs", ...columns, "codes"];

const aligned = (
  rows: readonly (readonly (string | number)[])[],
  start: string,
  between: string,
  end: string,
): string[] => {
  const widths = heads.map((_, at) => Math.max(...rows.map((row) => String(row[at]).length)));
  return rows.map(
    (row) =>
      `${start}${row.map((cell, at) => (at === 0 ? String(cell).padEnd(widths[at]!) : String(cell).padStart(widths[at]!))).join(between)}${end}`,
  );
};

export const tableText = ({ tallies }: Campaign): string =>
  aligned([heads, ...rowsOf(tallies)], "", "  ", "").join("\n");

/** The table of docs/reliability.md. */
export const tableMarkdown = ({ tallies }: Campaign): string => {
  const [head, ...rows] = aligned([heads, ...rowsOf(tallies)], "| ", " | ", " |") as [string, ...string[]];
  return [head, `|${heads.map((_, at) => (at === 0 ? "---" : "--:")).join("|")}|`, ...rows].join("\n");
};

export const asJson = ({ tallies, seconds, peakBytes }: Campaign): object => ({
  seconds: Number(seconds.toFixed(1)),
  peakBytes,
  kinds: tallies.map(({ kind, inputs, outcomes, codes, classes }) => ({
    kind: kind.name,
    inputs,
    outcomes,
    codes: Object.fromEntries([...codes].sort(([a], [b]) => (a < b ? -1 : 1))),
    faults: [...classes].map(([signature, { count, indexes }]) => ({ signature, count, indexes })),
  })),
});
