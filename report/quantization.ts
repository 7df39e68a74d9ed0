import * as Plot from "@observablehq/plot";
import { stageReport, type QuantizeReport, type RunResult } from "../pipeline/result.ts";
import { plain, plural, points, signedPoints } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { figure, gridX, shortened } from "./plot.ts";

const rowHeight = 19;
const shown = 24;

/** What int8 cost, which nodes are sensitive to it and which stay float. */
export function quantizationSection(result: RunResult): Html | undefined {
  const report = stageReport(result, "quantize");
  if (!report || Object.keys(report).length === 0) return undefined;
  const { floatNodes = [], sensitivity = [], notes = [], sessionSettings } = report;
  const settings = Object.entries(sessionSettings ?? {});
  return html`<section id="quantization"><h2>Quantization</h2>
<p class="lead">${summary(report)}</p>
<div class="grid">${sensitivity.length > 0 && bars(sensitivity, new Set(floatNodes.map(({ node }) => node)))}${accuracyTable(report)}</div>
${floatNodes.length > 0 && floatTable(floatNodes)}
${settings.length > 0 && html`<p class="caption">Accuracy measured with ${settings.map(([key, value], at) => html`${at > 0 && ", "}<code>${key} = ${JSON.stringify(value)}</code>`)}.</p>`}
${notes.map((note) => html`<p class="caption">${note}</p>`)}</section>`;
}

function summary({ method, scheme, images, quantizedNodes, floatNodes, drop }: QuantizeReport): string {
  return [
    quantizedNodes !== undefined && `${plural(quantizedNodes, "node")} ${quantizedNodes === 1 ? "runs" : "run"} in int8${floatNodes ? `, ${plural(floatNodes.length, "node")} ${floatNodes.length === 1 ? "stays" : "stay"} float` : ""}.`,
    method !== undefined && `Ranges by ${method}${images === undefined ? "" : ` over ${plural(images, "picture")}`}${scheme === undefined ? "" : `, scheme ${scheme}`}.`,
    typeof drop === "number" && `mAP changed by ${signedPoints(-drop)} points.`,
  ]
    .filter((sentence) => typeof sentence === "string")
    .join(" ");
}

interface Bar {
  readonly node: string;
  readonly value: number;
  readonly float: boolean;
}

/** Most sensitive first: the largest mAP drop, or where that was not measured the lowest signal-to-noise ratio. */
function bars(sensitivity: NonNullable<QuantizeReport["sensitivity"]>, float: ReadonlySet<string>): Html {
  const byDrop = sensitivity.some(({ mapDrop }) => mapDrop !== undefined);
  const all = sensitivity
    .flatMap(({ node, mapDrop, sqnrDb }): Bar[] => {
      const value = byDrop ? mapDrop : sqnrDb;
      return value === undefined ? [] : [{ node, value: byDrop ? value * 100 : value, float: float.has(node) }];
    })
    .sort((a, b) => (byDrop ? b.value - a.value : a.value - b.value));
  const rows = all.slice(0, shown);
  const meaning = byDrop
    ? "Points of mAP lost when only this node runs in int8."
    : "Signal-to-quantization-noise ratio of the node's output in int8: short bars are sensitive.";
  return figure({
    title: "Sensitivity to int8",
    caption: `${meaning} Most sensitive first${rows.length < all.length ? `, ${rows.length} of ${all.length}` : ""}.`,
    legend: rows.some((bar) => bar.float)
      ? [
          { label: "int8", colour: "var(--int8)" },
          { label: "kept float", colour: "var(--float)" },
        ]
      : [],
    options: (width) => ({
      height: rows.length * rowHeight + 50,
      marginLeft: width > 400 ? 190 : 124,
      marginRight: 44,
      marginBottom: 36,
      marginTop: 4,
      x: { label: byDrop ? "mAP drop (points)" : "SQNR (dB)", zero: true, ticks: 4, tickSize: 0 },
      y: { domain: rows.map(({ node }) => node), label: null, tickFormat: (name: string) => shortened(name, width > 400 ? 28 : 17), tickSize: 0, padding: 0.28 },
      marks: [
        gridX(),
        Plot.barX(rows, { y: "node", x: "value", fill: (bar: Bar) => (bar.float ? "var(--float)" : "var(--int8)"), title: (bar: Bar) => `${bar.node}: ${plain(bar.value)}`, rx: 2 }),
        Plot.text(rows, { y: "node", x: (bar: Bar) => Math.max(0, bar.value), text: (bar: Bar) => plain(Number(bar.value.toFixed(2))), dx: 6, textAnchor: "start", fill: "var(--muted)", fontSize: 11 }),
      ],
    }),
  });
}

function accuracyTable({ mapFloat, mapInt8 }: QuantizeReport): Html | undefined {
  if (typeof mapFloat !== "number") return undefined;
  const files = Object.entries(mapInt8 ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return html`<div class="card"><h3>mAP of the emitted files</h3><div class="scroll"><table>
<thead><tr><th scope="col">file</th><th scope="col">mAP</th><th scope="col">change</th></tr></thead>
<tbody><tr><th scope="row">float</th><td>${points(mapFloat)}</td><td>–</td></tr>
${files.map(([runtime, map]) => html`<tr><th scope="row">int8, ${runtime === "tensorrt" ? "TensorRT" : runtime}</th><td>${points(map)}</td><td>${signedPoints(map - mapFloat)}</td></tr>`)}</tbody></table></div>
<p class="caption">One table of ranges, one file per runtime; Q/DQ stand where that runtime fuses them.</p></div>`;
}

const floatTable = (floatNodes: NonNullable<QuantizeReport["floatNodes"]>): Html => html`<details><summary>${plural(floatNodes.length, "node")} kept float</summary><div class="scroll"><table>
<thead><tr><th scope="col">node</th><th scope="col" class="text">reason</th></tr></thead>
<tbody>${floatNodes.map(({ node, reason }) => html`<tr><th scope="row">${node}</th><td class="text">${reason}</td></tr>`)}</tbody></table></div></details>`;
