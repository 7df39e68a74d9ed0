import type { BenchmarkRecord } from "../pipeline/result.ts";
import { duration, ms } from "../report/figures.ts";
import { largest, smallest } from "../input/largest.ts";

type SoakPoint = NonNullable<BenchmarkRecord["soak"]>[number];

/** What is drawn of a long run; a row without values is left out. */
const rows: readonly { readonly label: string; readonly value: (point: SoakPoint) => number | null; readonly text: (value: number) => string }[] = [
  { label: "FPS", value: ({ fps }) => fps, text: ms },
  { label: "p99 ms", value: ({ p99Ms }) => p99Ms, text: ms },
  { label: "°C", value: ({ temperatureC }) => temperatureC, text: (value) => value.toFixed(1) },
  { label: "MHz", value: ({ clockMHz }) => clockMHz, text: (value) => value.toFixed(0) },
];

/** Lines for the terminal: each quantity at the start and the end, its curve between them, its range. Nothing for an emulator, whose times say nothing. */
export const soakLines = ({ model, target, soak = [], emulated }: BenchmarkRecord, columns?: number): string[] => {
  if (soak.length === 0 || emulated === true) return [];
  return [`${model} on ${target}, over ${duration(soak.at(-1)!.seconds)}:`, ...rows.flatMap(({ label, value, text }) => {
    const values = soak.flatMap((point) => value(point) ?? []);
    if (values.length === 0) return [];
    const [start, end] = [text(values[0]!), text(values.at(-1)!)];
    return [`  ${label.padEnd(6)} ${start.padStart(6)} ${sparkline(values, columns === undefined ? mostColumns : columns - besideCurve)} ${end.padEnd(6)} (${text(smallest(values))} to ${text(largest(values))})`];
  })];
};

const blocks = "▁▂▃▄▅▆▇█";
const mostColumns = 60;
/** Columns of a line beside its curve: label, start, end and range. */
const besideCurve = 45;
const fewestColumns = 8;
/** Values that differ by less than this share of the highest look level. */
const smallestSpan = 0.1;

/** A curve of block characters, a mean per column, of at most `most` columns; the highest value fills its column. */
export const sparkline = (values: readonly number[], most = mostColumns): string => {
  const columns = Math.min(mostColumns, Math.max(fewestColumns, most), values.length);
  const means = Array.from({ length: columns }, (_, column) => {
    const part = values.slice(Math.floor((column * values.length) / columns), Math.floor(((column + 1) * values.length) / columns));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const high = largest(means);
  const span = Math.max(high - smallest(means), smallestSpan * Math.abs(high));
  return means.map((mean) => blocks[span === 0 ? 0 : Math.round((1 - (high - mean) / span) * (blocks.length - 1))]).join("");
};
