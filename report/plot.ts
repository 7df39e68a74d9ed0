import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { VariantStage } from "../pipeline/result.ts";
import { escapeHtml } from "../escape/html.ts";
import { html, raw, type Html } from "./markup.ts";

/** Widths in CSS pixels that each plot is drawn at, so that its text is readable on a laptop and on a phone. */
const wide = 560;
const narrow = 340;

/** The colour of a stage, as a CSS variable that follows light and dark. */
export const stageColour = (stage: VariantStage): string => `var(--${stage})`;

export interface Figure {
  readonly title: string;
  /** What to see in it, in words. */
  readonly caption: string;
  readonly options: (width: number) => Plot.PlotOptions;
  /** A second plot under the first, with the same margins: another quantity over the same axis. */
  readonly below?: Pick<Figure, "title" | "options">;
  readonly legend?: readonly { readonly label: string; readonly colour: string }[];
}

/** One or two plots with title, legend and caption, as static SVG. */
export function figure({ title, caption, options, below, legend = [] }: Figure): Html {
  const plots = (width: number): Html => html`${draw(title, caption, width, options)}${below && draw(below.title, caption, width, below.options)}`;
  return html`<figure class="card plot-card">
<h3>${title}</h3>
${legend.length > 0 && html`<p class="legend">${legend.map(({ label, colour }) => html`<span><i style="background:${colour}"></i>${label}</span>`)}</p>`}
<div class="wide">${plots(wide)}</div><div class="narrow">${plots(narrow)}</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

function draw(title: string, caption: string, width: number, options: Figure["options"]): Html {
  const { document } = parseHTML("<!doctype html><html></html>") as { readonly document: unknown };
  const plot: unknown = Plot.plot({
    className: "plot",
    style: { fontSize: "12px" },
    ...options(width),
    document,
    width,
  });
  // linkedom leaves "<" and "&" in attributes as they are, so the label is written here.
  const label = escapeHtml(`${title}. ${caption}`);
  return raw(outerHtml(plot).replace(/<style>[^<]*<\/style>/, "").replace("<svg ", () => `<svg role="img" aria-label="${label}" `));
}

function outerHtml(element: unknown): string {
  if (typeof element === "object" && element && "outerHTML" in element && typeof element.outerHTML === "string") return element.outerHTML;
  throw new Error("bug: the plot is not an element");
}

/** Grid lines and axes as every plot here has them. */
export const gridX = (ticks: readonly number[] = []): Plot.Markish =>
  Plot.gridX({ ...(ticks.length > 0 && { ticks: [...ticks] }), stroke: "var(--line)", strokeOpacity: 1 });
export const gridY = (ticks = 6): Plot.Markish => Plot.gridY({ ticks, stroke: "var(--line)", strokeOpacity: 1 });

/** The end of a long name, where names differ. */
export const shortened = (name: string, length: number): string => (name.length > length ? `…${name.slice(1 - length)}` : name);
