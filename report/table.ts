import type { BenchmarkRecord, RunResult, Variant } from "../pipeline/result.ts";
import { bytes, count, ms, points, signedPoints } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { stageColour } from "./plot.ts";
import { finalVariant, mapChange, recordOn, targetsOf, timed, variantNamed } from "./variants.ts";

/** One row per variant: accuracy, cost and the time on each target. On a phone each row is a card. */
export function variantTable(result: RunResult): Html | undefined {
  if (result.variants.length === 0) return undefined;
  const targets = targetsOf(result);
  const final = finalVariant(result);
  return html`<section id="variants"><h2>Variants</h2><div class="scroll card"><table class="cards">
<thead><tr><th scope="col">variant</th><th scope="col">mAP</th><th scope="col">mAP50</th><th scope="col">vs parent</th><th scope="col">parameters</th><th scope="col">MACs</th><th scope="col">size</th>${targets.map((target) => html`<th scope="col">${target}<br><small>p50 ms · FPS</small></th>`)}</tr></thead>
<tbody>${result.variants.map((variant) => row(result, variant, targets, variant === final))}</tbody></table></div>
<p class="caption">mAP is COCO's, in points of 100: the mean over IoU 0.50 to 0.95; mAP50 at IoU 0.50. p50 is the median time of the session alone.</p></section>`;
}

function row(result: RunResult, variant: Variant, targets: readonly string[], final: boolean): Html {
  const { accuracy } = variant;
  const change = mapChange(variant, variantNamed(result, variant.parent));
  return html`<tr class="${final ? "final" : ""}"><th scope="row"><i class="dot" style="background:${stageColour(variant.stage)}"></i>${variant.name}${variant.parent !== null && html`<small>from ${variant.parent}</small>`}</th>
${cell("mAP", accuracy ? html`<b>${points(accuracy.map)}</b>` : "–")}${cell("mAP50", accuracy ? points(accuracy.map50) : "–")}
<td data-label="vs parent" class="${change === undefined ? "" : change < 0 ? "down" : "up"}">${change === undefined ? "–" : signedPoints(change)}</td>
${cell("parameters", count(variant.parameters))}${cell("MACs", count(variant.macs))}${cell("size", bytes(variant.sizeBytes))}
${targets.map((target) => latencyCell(target, recordOn(variant, target)))}</tr>`;
}

const cell = (label: string, value: Html | string): Html => html`<td data-label="${label}">${value}</td>`;

function latencyCell(target: string, record: BenchmarkRecord | undefined): Html {
  if (!record) return cell(target, "–");
  if (!timed(record)) return cell(target, html`<span class="tag">emulated</span><small>runs; no device figure</small>`);
  return cell(
    `${target} p50 ms · FPS`,
    html`<span class="latency"><b>${ms(record.inferenceMs.p50)}</b> · ${ms(record.fps)}</span>${!record.stable && html`<span class="tag warn">not stable</span><small>${reasons(record)}</small>`}`,
  );
}

const reasons = ({ unstableReasons = [] }: BenchmarkRecord): string => (unstableReasons.length > 0 ? unstableReasons.join("; ") : "no reason recorded");

/** Every benchmark record in full. */
export function benchmarkTable(result: RunResult): Html | undefined {
  const rows = result.variants.flatMap((variant) => Object.entries(variant.latency).map(([target, record]) => benchmarkRow(variant, target, record)));
  if (rows.length === 0) return undefined;
  return html`<details><summary>Benchmark records</summary><div class="scroll"><table>
<thead><tr>${["variant", "target", "provider", "precision", "threads", "runs", "p50", "p90", "p95", "p99", "end to end p50", "memory", "state", "measured"].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div><p class="caption">Times in milliseconds.</p></details>`;
}

function benchmarkRow(variant: Variant, target: string, record: BenchmarkRecord): Html {
  const real = timed(record);
  const time = (value: number | undefined) => html`<td>${real && value !== undefined ? ms(value) : "–"}</td>`;
  const { inferenceMs, endToEndMs, memoryBytes } = record;
  return html`<tr><th scope="row">${variant.name}</th><td>${target}</td><td>${record.provider}</td><td>${record.precision}</td><td>${record.threads}</td><td>${record.runs}</td>${time(inferenceMs.p50)}${time(inferenceMs.p90)}${time(inferenceMs.p95)}${time(inferenceMs.p99)}${time(endToEndMs?.p50)}
<td>${real && typeof memoryBytes === "number" ? bytes(memoryBytes) : "–"}</td><td>${real ? (record.stable ? "stable" : `not stable: ${reasons(record)}`) : "emulated"}</td><td>${record.at}</td></tr>`;
}
