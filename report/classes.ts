import { largest } from "../input/largest.ts";
import type { RunResult, Variant } from "../pipeline/result.ts";
import { points } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { stageColour } from "./plot.ts";

/** AP of every class and variant as a heat table: the darker, the better. */
export function classSection(result: RunResult): Html | undefined {
  const evaluated = result.variants.filter(({ accuracy }) => accuracy !== null);
  const classes = [...new Set(evaluated.flatMap(({ accuracy }) => Object.keys(accuracy?.perClass ?? {})))];
  if (classes.length === 0) return undefined;
  const top = Math.max(0.01, largest(evaluated.flatMap(({ accuracy }) => Object.values(accuracy?.perClass ?? {}).map((ap) => ap ?? 0))));
  return html`<section id="classes"><h2>Classes</h2><div class="scroll card"><table class="heat">
<thead><tr><th scope="col">class</th>${evaluated.map(({ name, stage }) => html`<th scope="col"><i class="dot" style="background:${stageColour(stage)}"></i>${name}</th>`)}</tr></thead>
<tbody>${classes.map((name) => html`<tr><th scope="row">${name}</th>${evaluated.map((variant) => heat(variant, name, top))}</tr>`)}</tbody></table></div>
<p class="caption">AP at IoU 0.50 to 0.95 in points. A dash: the validation set has no such object.</p></section>`;
}

function heat({ accuracy }: Variant, name: string, top: number): Html {
  const ap = accuracy?.perClass[name];
  if (typeof ap !== "number") return html`<td>–</td>`;
  const share = Math.round((Math.max(0, ap) / top) * 100);
  return html`<td style="--heat:${share}%">${points(ap)}</td>`;
}
