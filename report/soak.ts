import * as Plot from "@observablehq/plot";
import type { BenchmarkRecord, RunResult } from "../pipeline/result.ts";
import { ms, percent, plain } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { figure, gridX, gridY, stageColour } from "./plot.ts";
import { recordOn, targetsOf, timed } from "./variants.ts";
import { largest } from "../input/largest.ts";

type SoakPoint = NonNullable<BenchmarkRecord["soak"]>[number];

/** A record with the name and the colour of its line. */
export interface NamedRecord {
  readonly name: string;
  readonly colour: string;
  readonly record: BenchmarkRecord;
}

/** One model's long run on one target. */
interface Soak extends Omit<NamedRecord, "record"> {
  readonly points: readonly SoakPoint[];
}

interface Sample {
  readonly of: Soak;
  readonly point: SoakPoint;
}

/** FPS over time with the temperature below, one figure per target that was measured for long. */
export const soakSection = (result: RunResult): Html | undefined =>
  soakFigures(new Map(targetsOf(result).map((target) => [target, result.variants.flatMap((variant): NamedRecord[] => {
    const record = recordOn(variant, target);
    return record ? [{ name: variant.name, colour: stageColour(variant.stage), record }] : [];
  })])));

/** As `soakSection`, of records by target. At least two points make a line; undefined where there is none. */
export function soakFigures(records: ReadonlyMap<string, readonly NamedRecord[]>): Html | undefined {
  const figures = [...records].flatMap(([target, named]) => {
    const soaks = named.flatMap(({ name, colour, record }): Soak[] => (timed(record) && record.soak && record.soak.length > 1 ? [{ name, colour, points: record.soak }] : []));
    return soaks.length > 0 ? [soakFigure(target, soaks)] : [];
  });
  if (figures.length === 0) return undefined;
  return html`<section id="soak"><h2>Speed over time</h2><div class="grid">${figures}</div></section>`;
}

function soakFigure(target: string, soaks: readonly Soak[]): Html {
  const samples = soaks.flatMap((of) => of.points.map((point): Sample => ({ of, point })));
  const warm = samples.filter(({ point }) => point.temperatureC !== null);
  const time = timeAxis(samples);
  const hottest = largest(warm.map(({ point }) => point.temperatureC!));
  const caption = [
    `FPS from start to end: ${soaks.map(outcome).join(", ")}.`, warm.length > 0 ? `${hottest.toFixed(0)} °C at most.` : "The target tells no temperature.",
    ...(soaks.length > 1 ? ["One after the other, each on its own time."] : []),
  ].join(" ");
  const heat = { title: `Temperature over time on ${target}`, options: () => panel(warm, time, "°C", 130, ({ temperatureC }) => temperatureC!, true) };
  return figure({
    title: `FPS over time on ${target}`,
    caption,
    legend: soaks.map(({ name, colour }) => ({ label: name, colour })),
    options: () => panel(samples, time, "FPS", warm.length > 0 ? 210 : 250, ({ fps }) => fps, warm.length === 0),
    ...(warm.length > 0 && { below: heat }),
  });
}

/** "int8 192 → 141 (27 % less)". */
function outcome({ name, points }: Soak): string {
  const [start, end] = [points[0]!.fps, points.at(-1)!.fps];
  const change = end / start - 1;
  const changed = Math.abs(change) < 0.005 ? "" : ` (${percent(Math.abs(change))} ${change < 0 ? "less" : "more"})`;
  return `${name} ${ms(start)} → ${ms(end)}${changed}`;
}

interface TimeAxis {
  readonly label: string;
  readonly secondsPerUnit: number;
}

const timeAxis = (samples: readonly Sample[]): TimeAxis =>
  largest(samples.map(({ point }) => point.seconds)) > 180 ? { label: "minutes", secondsPerUnit: 60 } : { label: "seconds", secondsPerUnit: 1 };

/** FPS start at zero, so that a drop is seen as the share that it is; temperatures do not. */
function panel(samples: readonly Sample[], { label, secondsPerUnit }: TimeAxis, unit: "FPS" | "°C", height: number, value: (point: SoakPoint) => number, withTime: boolean): Plot.PlotOptions {
  const end = largest(samples.map(({ point }) => point.seconds)) / secondsPerUnit;
  const place = { x: ({ point }: Sample) => point.seconds / secondsPerUnit, y: ({ point }: Sample) => value(point) };
  const stroke = ({ of }: Sample) => of.colour;
  const few = samples.length <= 60;
  return {
    height,
    marginTop: 26,
    marginLeft: 44,
    marginRight: 14,
    marginBottom: withTime ? 38 : 14,
    x: { label: withTime ? label : null, domain: [0, end], ticks: 6, tickFormat: (tick: number) => (withTime ? plain(tick) : ""), tickSize: 0 },
    y: { label: unit, zero: unit === "FPS", nice: true, ticks: unit === "FPS" ? 5 : 3, tickSize: 0 },
    marks: [
      gridX(),
      gridY(unit === "FPS" ? 5 : 3),
      Plot.line(samples, { ...place, z: ({ of }: Sample) => of.name, stroke, strokeWidth: 2.25 }),
      Plot.dot(few ? samples : [], { ...place, fill: stroke, r: 2.5, title: ({ of, point }: Sample) => `${of.name}, ${point.seconds.toFixed(0)} s: ${details(point)}` }),
    ],
  };
}

const details = ({ fps, p99Ms, temperatureC, clockMHz }: SoakPoint): string =>
  [`${ms(fps)} FPS`, `p99 ${ms(p99Ms)} ms`, temperatureC !== null && `${temperatureC.toFixed(1)} °C`, clockMHz !== null && `${clockMHz.toFixed(0)} MHz`].filter((part) => part !== false).join(", ");
