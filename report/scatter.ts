import * as Plot from "@observablehq/plot";
import type { RunResult } from "../pipeline/result.ts";
import { ms, points } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { figure, gridX, gridY, stageColour } from "./plot.ts";
import { paretoFront, placedOn, targetsOf, type Placed } from "./variants.ts";
import { largest, smallest } from "../input/largest.ts";

const height = 320;
const margin = { top: 26, bottom: 38 };

/** Accuracy against latency, one plot per target that timed a variant. */
export function scatterSection(result: RunResult): Html | undefined {
  const plots = targetsOf(result).flatMap((target) => {
    const placed = placedOn(result, target);
    return placed.length > 0 ? [scatter(target, placed)] : [];
  });
  if (plots.length === 0) return undefined;
  return html`<section id="tradeoff"><h2>Accuracy against latency</h2><div class="grid">${plots}</div></section>`;
}

function scatter(target: string, placed: readonly Placed[]): Html {
  const front = paretoFront(placed);
  const unstable = placed.some(({ record }) => !record.stable);
  const device = placed[0]?.record.device.name;
  return figure({
    title: `mAP against p50 latency on ${target}`,
    caption:
      `Up and to the left is better. The dashed line joins the variants that no other beats in both: ${front.map(({ variant }) => variant.name).join(", ")}.` +
      (unstable ? " Hollow: the benchmark was not stable." : "") +
      (device === undefined || device === target ? "" : ` Device: ${device}.`),
    options: () => options(placed, front),
  });
}

function options(placed: readonly Placed[], front: readonly Placed[]): Plot.PlotOptions {
  const times = placed.map(({ p50Ms }) => p50Ms);
  const [fastest, slowest] = [smallest(times), largest(times)];
  const log = slowest > 6 * fastest && fastest > 0;
  const right = (place: Placed) =>
    log ? Math.log(place.p50Ms / fastest) > Math.log(slowest / fastest) * 0.6 : place.p50Ms > 0.6 * slowest;
  const domain = accuracyDomain(placed);
  const labels = spread(placed, domain);
  const text = { x: "p50Ms", y: "labelY", text: (label: Label) => label.variant.name, fill: (label: Label) => stageColour(label.variant.stage), stroke: "var(--card)", strokeWidth: 4, fontWeight: 600 } as const;
  return {
    height,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    marginLeft: 44,
    marginRight: 20,
    x: { label: "p50 latency (ms)", type: log ? "log" : "linear", domain: log ? [fastest / 1.25, slowest * 1.25] : [0, slowest * 1.1 || 1], ticks: log ? decadeTicks(fastest, slowest) : 5, tickFormat: (tick: number) => String(Number(tick.toPrecision(3))), tickSize: 0 },
    y: { label: "mAP (points)", domain, ticks: 6, tickSize: 0 },
    marks: [
      gridX(log ? decadeTicks(fastest, slowest) : []),
      gridY(6),
      Plot.line(front, { x: "p50Ms", y: (place: Placed) => place.map * 100, stroke: "var(--muted)", strokeDasharray: "4 4", curve: "linear" }),
      Plot.dot(placed, {
        x: "p50Ms",
        y: (place: Placed) => place.map * 100,
        r: 6,
        fill: (place: Placed) => (place.record.stable ? stageColour(place.variant.stage) : "var(--card)"),
        stroke: (place: Placed) => stageColour(place.variant.stage),
        strokeWidth: 2,
        title: (place: Placed) => `${place.variant.name}: ${points(place.map)} mAP, ${ms(place.p50Ms)} ms${place.record.stable ? "" : " (not stable)"}`,
      }),
      Plot.text(labels.filter((label) => !right(label)), { ...text, textAnchor: "start", dx: 11 }),
      Plot.text(labels.filter(right), { ...text, textAnchor: "end", dx: -11 }),
    ],
  };
}

function accuracyDomain(placed: readonly Placed[]): [number, number] {
  const maps = placed.map(({ map }) => map * 100);
  const room = Math.max(1, (largest(maps) - smallest(maps)) * 0.2);
  return [Math.max(0, smallest(maps) - room), Math.min(100, largest(maps) + room)];
}

/** 1, 2 and 5 times the powers of ten inside the range. */
function decadeTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) ticks.push(10 ** power, 2 * 10 ** power, 5 * 10 ** power);
  return ticks.filter((tick) => tick >= low / 1.25 && tick <= high * 1.25);
}

interface Label extends Placed {
  /** Height of the label in points of mAP: that of its dot, or moved so that labels do not overlap and stay above the axis. */
  readonly labelY: number;
}

function spread(placed: readonly Placed[], [low, high]: readonly [number, number]): Label[] {
  const gap = ((high - low) / (height - margin.top - margin.bottom)) * 15;
  let above = Infinity;
  return [...placed]
    .sort((a, b) => b.map - a.map)
    .map((place, index) => {
      above = Math.min(place.map * 100, above - gap);
      return { ...place, labelY: Math.max(above, low + gap * (placed.length - index - 0.5)) };
    });
}
