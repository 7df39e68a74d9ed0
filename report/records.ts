import type { BenchmarkRecord } from "../pipeline/result.ts";
import { bytes, ms, plural } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { page } from "./page.ts";
import { soakFigures, type NamedRecord } from "./soak.ts";
import { timed } from "./variants.ts";

/** Colours of the lines of a figure, in turn. */
const colours = ["distilled", "int8", "baseline", "pruned", "teacher", "float"].map((name) => `var(--${name})`);

/** The page of benchmark records without a run, as `bench` writes them: one HTML document as the report of a run. `name` is shown as its title. */
export function renderRecords(name: string, records: readonly BenchmarkRecord[]): string {
  const byTarget = new Map([...new Set(records.map(({ target }) => target))].map((target) => [target, named(records.filter((record) => record.target === target))]));
  return page({
    name, headline: headline(records), id: "records", data: records,
    sections: html`${[...byTarget].map(([target, list]) => table(target, list))}
${soakFigures(byTarget)}`,
  });
}

/** The model, with what tells records apart where its name alone does not. */
function named(records: readonly BenchmarkRecord[]): NamedRecord[] {
  const names = [
    ({ model }: BenchmarkRecord) => model,
    ({ model, threads, batch }: BenchmarkRecord) => `${model}, ${plural(threads, "thread")}, batch ${batch}`,
    ({ model, threads, batch, at }: BenchmarkRecord) => `${model}, ${plural(threads, "thread")}, batch ${batch}, ${at}`,
  ] as const;
  const nameOf = names.find((candidate) => new Set(records.map(candidate)).size === records.length) ?? names[2];
  return records.map((record, at) => ({ name: nameOf(record), colour: colours[at % colours.length]!, record }));
}

function headline(records: readonly BenchmarkRecord[]): string {
  const [first] = records;
  if (!first || records.length > 1 || !timed(first)) return plural(records.length, "benchmark record");
  return `${first.model} on ${first.target}: ${ms(first.inferenceMs.p50)} ms, ${ms(first.fps)} FPS${first.stable ? "" : " (not stable)"}`;
}

/** On a phone each row is a card. */
function table(target: string, list: readonly NamedRecord[]): Html {
  const device = list[0]?.record.device;
  return html`<section class="records"><h2>${target} <small>${[device?.name, device?.cpu].filter((text) => text && text !== target).join(", ")}</small></h2><div class="scroll card"><table class="cards">
<thead><tr><th scope="col">model</th>${columns.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${list.map(({ name, colour, record }) => html`<tr><th scope="row"><i class="dot" style="background:${colour}"></i>${name}</th>${columns.map(({ head, cell }) => html`<td data-label="${head}">${cell(record)}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

const time = (value: (record: BenchmarkRecord) => number | undefined) => (record: BenchmarkRecord): string => {
  const figure = timed(record) ? value(record) : undefined;
  return figure === undefined ? "–" : ms(figure);
};

const columns: readonly { readonly head: string; readonly cell: (record: BenchmarkRecord) => Html | string | number }[] = [
  { head: "threads", cell: ({ threads }) => threads },
  { head: "batch", cell: ({ batch }) => batch },
  { head: "p50 ms", cell: time(({ inferenceMs }) => inferenceMs.p50) },
  { head: "p90", cell: time(({ inferenceMs }) => inferenceMs.p90) },
  { head: "p99", cell: time(({ inferenceMs }) => inferenceMs.p99) },
  { head: "FPS", cell: time(({ fps }) => fps) },
  { head: "to boxes p50", cell: time(({ endToEndMs }) => endToEndMs?.p50) },
  { head: "memory", cell: (record) => (timed(record) && typeof record.memoryBytes === "number" ? bytes(record.memoryBytes) : "–") },
  { head: "state", cell: (record) => (!timed(record) ? html`<span class="tag">emulated</span>` : record.stable ? "stable" : html`<span class="tag warn">not stable</span><small>${record.unstableReasons?.join("; ")}</small>`) },
];
