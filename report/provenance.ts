import type { JsonValue, RunResult } from "../pipeline/result.ts";
import { duration } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { benchmarkTable } from "./table.ts";

/** Where the figures come from: stages, files, machine and config; closed until asked for. */
export const provenanceSection = (result: RunResult): Html => html`<section id="provenance"><h2>Provenance</h2>
${stageTable(result)}
${fileTable(result)}
${benchmarkTable(result)}
<details><summary>Environment</summary>${properties({ seed: result.seed, ...result.environment })}</details>
<details><summary>Config</summary><pre>${JSON.stringify(result.config, null, 2)}</pre></details></section>`;

function stageTable({ stages }: RunResult): Html | undefined {
  if (stages.length === 0) return undefined;
  return html`<details><summary>Stages</summary><div class="scroll"><table><thead><tr><th scope="col">stage</th><th scope="col">time</th><th scope="col" class="text">hash</th></tr></thead>
<tbody>${stages.map(({ name, seconds, hash }) => html`<tr><th scope="row">${name}</th><td>${duration(seconds)}</td><td class="text"><code>${hash}</code></td></tr>`)}</tbody></table></div></details>`;
}

function fileTable({ variants }: RunResult): Html | undefined {
  if (variants.length === 0) return undefined;
  return html`<details><summary>Model files</summary><div class="scroll"><table><thead><tr><th scope="col">variant</th><th scope="col" class="text">file</th><th scope="col" class="text">sha256</th></tr></thead>
<tbody>${variants.map(({ name, model, sha256 }) => html`<tr><th scope="row">${name}</th><td class="text"><code>${model}</code></td><td class="text"><code>${sha256}</code></td></tr>`)}</tbody></table></div></details>`;
}

const properties = (values: Readonly<Record<string, JsonValue>>): Html =>
  html`<dl>${Object.entries(values).map(([name, value]) => html`<div><dt>${name}</dt><dd>${typeof value === "string" ? value : JSON.stringify(value)}</dd></div>`)}</dl>`;
