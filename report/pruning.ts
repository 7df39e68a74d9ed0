import * as Plot from "@observablehq/plot";
import { stageReport, type PruneGroup, type PruneReport, type RunResult } from "../pipeline/result.ts";
import { count, percent, plain, plural, points } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { figure, gridX, shortened } from "./plot.ts";

const rowHeight = 19;
const shown = 32;

/** Channels before and after in each group, the steps, and what could not be pruned. */
export function pruningSection(result: RunResult): Html | undefined {
  const report = stageReport(result, "prune");
  if (!report || Object.keys(report).length === 0) return undefined;
  const { groups = [], steps = [], blocked = [] } = report;
  return html`<section id="pruning"><h2>Pruning</h2>
<p class="lead">${summary(report)}</p>
<div class="grid">${groups.length > 0 && channels(groups)}${steps.length > 0 && stepTable(steps)}</div>
${groups.length > 0 && groupTable(groups)}
${blocked.length > 0 && blockedTable(blocked)}</section>`;
}

function summary({ targetMacs, reachedMacs, parameters, groups = [], note }: PruneReport): string {
  const cut = groups.filter(({ channelsBefore, channelsAfter }) => channelsAfter < channelsBefore).length;
  return [
    reachedMacs !== undefined && `Reached ${count(reachedMacs)} MACs${targetMacs === undefined ? "" : ` (target ${count(targetMacs)})`}.`,
    parameters !== undefined && `${count(parameters)} parameters are left.`,
    groups.length > 0 && `${cut} of ${plural(groups.length, "group")} of layers lost channels.`,
    note,
  ]
    .filter((sentence) => typeof sentence === "string")
    .join(" ");
}

function channels(groups: readonly PruneGroup[]): Html {
  const widest = [...groups].sort((a, b) => b.channelsBefore - b.channelsAfter - (a.channelsBefore - a.channelsAfter)).slice(0, shown);
  const rows = groups.filter((group) => widest.includes(group));
  const before = groups.reduce((sum, { channelsBefore }) => sum + channelsBefore, 0);
  const after = groups.reduce((sum, { channelsAfter }) => sum + channelsAfter, 0);
  const label = ({ name }: PruneGroup) => name;
  return figure({
    title: "Channels kept in each group of layers",
    caption:
      `${percent(after / Math.max(1, before))} of all channels are kept; pale: removed. Groups in network order.` +
      (rows.length < groups.length ? ` The ${rows.length} groups that lost most of ${groups.length}; all are in the table.` : ""),
    legend: [
      { label: "kept", colour: "var(--pruned)" },
      { label: "removed", colour: "var(--ghost)" },
    ],
    options: (width) => ({
      height: rows.length * rowHeight + 50,
      marginLeft: width > 400 ? 170 : 112,
      marginRight: 44,
      marginBottom: 36,
      marginTop: 4,
      x: { label: "channels", ticks: 4, tickSize: 0 },
      y: { domain: rows.map(label), label: null, tickFormat: (name: string) => shortened(name, width > 400 ? 25 : 16), tickSize: 0, padding: 0.28 },
      marks: [
        gridX(),
        Plot.barX(rows, { y: label, x: "channelsBefore", fill: "var(--ghost)", title: groupTitle, rx: 2 }),
        Plot.barX(rows, { y: label, x: "channelsAfter", fill: "var(--pruned)", title: groupTitle, rx: 2 }),
        Plot.text(rows, { y: label, x: "channelsBefore", text: ({ channelsBefore, channelsAfter }: PruneGroup) => percent(channelsAfter / Math.max(1, channelsBefore)), dx: 6, textAnchor: "start", fill: "var(--muted)", fontSize: 11 }),
      ],
    }),
  });
}

const groupTitle = ({ name, channelsBefore, channelsAfter }: PruneGroup): string => `${name}: ${channelsBefore} → ${channelsAfter} channels`;

const orDash = (map: number | null | undefined): string => (typeof map === "number" ? points(map) : "–");

const stepTable = (steps: NonNullable<PruneReport["steps"]>): Html => html`<div class="card"><h3>Steps</h3>
<div class="scroll"><table><thead><tr><th scope="col">step</th><th scope="col">MACs</th><th scope="col">mAP after the cut</th><th scope="col">after recovery</th></tr></thead>
<tbody>${steps.map(({ macs, mapBefore, mapAfter }, at) => html`<tr><th scope="row">${at + 1}</th><td>${count(macs)}</td><td>${orDash(mapBefore)}</td><td>${orDash(mapAfter)}</td></tr>`)}</tbody></table></div>
<p class="caption">Each step removes channels, then trains to recover what the cut lost.</p></div>`;

const groupTable = (groups: readonly PruneGroup[]): Html => html`<details><summary>${plural(groups.length, "group")} in numbers</summary><div class="scroll"><table>
<thead><tr><th scope="col">group</th><th scope="col">before</th><th scope="col">after</th><th scope="col">score</th><th scope="col" class="text">layers</th></tr></thead>
<tbody>${groups.map((group) => html`<tr><th scope="row">${group.name}</th><td>${group.channelsBefore}</td><td>${group.channelsAfter}</td><td>${group.score === undefined ? "–" : plain(group.score)}</td><td class="text">${group.layers.join(", ")}</td></tr>`)}</tbody></table></div></details>`;

const blockedTable = (blocked: NonNullable<PruneReport["blocked"]>): Html => html`<details><summary>${plural(blocked.length, "node")} could not be pruned</summary><div class="scroll"><table>
<thead><tr><th scope="col">node</th><th scope="col" class="text">op</th><th scope="col" class="text">reason</th></tr></thead>
<tbody>${blocked.map(({ node, opType, reason }) => html`<tr><th scope="row">${node}</th><td class="text">${opType}</td><td class="text">${reason}</td></tr>`)}</tbody></table></div></details>`;
