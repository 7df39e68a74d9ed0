import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseRunResult, type RunResult, type Variant } from "../../pipeline/result.ts";
import { picturePaths, renderReport, type Asset } from "../../report/html.ts";
import { renderRecords } from "../../report/records.ts";
import { limitTexts } from "../../report/limits.ts";
import { shownAsFractions } from "../helpers/figures.ts";
import { parsePage } from "./dom.ts";

const sample = parseRunResult(readFileSync(new URL("../fixtures/report/run.json", import.meta.url), "utf8"), "run.json");
const none: ReadonlyMap<string, Asset> = new Map();
const png: Asset = { mime: "image/png", bytes: Uint8Array.from([137, 80, 78, 71]) };

const empty: RunResult = { name: "empty", config: {}, seed: 1, environment: {}, variants: [], stages: [], gates: [] };
const [teacher, , , , int8] = sample.variants;
if (!teacher || !int8) throw new Error("bug: the sample has five variants");
const hostile = `</script><img src=x onerror=alert(1)>"'&`;

const page = (result: RunResult, assets = none) => parsePage(renderReport(result, assets));
const text = (result: RunResult) => page(result).querySelector("body")?.textContent ?? "";
const heading = (result: RunResult) => page(result).querySelector("h1")?.textContent ?? "";
const headings = (result: RunResult) => [...page(result).querySelectorAll("main h2")].map(({ textContent }) => textContent ?? "");

/** The variant with every record changed. */
const withRecords = (variant: Variant, change: object): Variant => ({
  ...variant,
  latency: Object.fromEntries(Object.entries(variant.latency).map(([target, record]) => [target, { ...record, ...change }])),
});

/** Strings of a JSON value, keys too, replaced; names that the schema fixes are kept. */
function poisoned(value: unknown, fixed: ReadonlySet<string>): unknown {
  if (typeof value === "string") return fixed.has(value) ? value : `${value}${hostile}`;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, fixed));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poisoned(item, fixed)]));
}

test("every variant has a row with its figures", () => {
  const rows = [...page(sample).querySelectorAll("#variants tbody tr")].map(({ textContent }) => textContent ?? "");
  assert.is(rows.length, sample.variants.length);
  for (const [at, { name }] of sample.variants.entries()) assert.ok(rows[at]?.includes(name), name);
  assert.match(rows[4] ?? "", /54\.8.*83\.3.*−0\.3.*421 k.*143 M.*561 kB/s);
});

test("the headline says what was won and lost, on a target with stable times", () => {
  assert.is(heading(sample), "int8 is 22× smaller and 12× faster than the teacher on pi5, at −6.4 points mAP");
});

test("a slower model is called slower", () => {
  const slow = withRecords(int8, { stable: true, inferenceMs: { ...int8.latency["local"]?.inferenceMs, p50: 122.4 } });
  assert.match(heading({ ...sample, variants: [teacher, slow] }), /22× smaller and 4\.5× slower than the teacher on local/);
});

test("a loss is never shown as equal to what is allowed", () => {
  const loss = { variant: "int8", parent: "pruned" };
  assert.match(heading({ ...sample, losses: [{ ...loss, drop: 0.03004, allowed: 0.03 }] }), /int8 is 3\.004 points of mAP below pruned \(allowed: 3\.000\)/);
  assert.match(heading({ ...sample, losses: [{ ...loss, drop: 0.144, allowed: 0.03 }] }), /int8 is 14\.4 points of mAP below pruned \(allowed: 3\.0\)/);
});

test("gates say pass or fail with value and limit", () => {
  const gates = [...page(sample).querySelectorAll(".gates li")].map(({ textContent }) => textContent);
  assert.equal(gates, ["✓ passmapDrop1.5 points limit 2.0 points", "✕ failpi5.p99Ms6.24 ms limit 5 ms"]);
});

/** A JSON value with every number changed that is an accuracy, or lies below a key that names some. */
const withAccuracies = (value: unknown, change: (value: number) => number, isAccuracy = false): unknown => {
  if (typeof value === "number") return isAccuracy ? change(value) : value;
  if (Array.isArray(value)) return value.map((item) => withAccuracies(item, change, isAccuracy));
  if (typeof value !== "object" || value === null) return value;
  const names = /^(map\d*|map(Before|After|Float|Int8|Drop)|map(Small|Medium|Large)|perClass|drop)$/;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withAccuracies(item, change, isAccuracy || names.test(key))]));
};

test("mAP has one scale for people: no accuracy of run.json is shown as a fraction, in text, plots or their labels", () => {
  const accuracies: number[] = [];
  // digits that no other figure has
  const unique = (value: number): number => accuracies[accuracies.push(Math.abs(Number((value * 0.97 + 0.00137 + accuracies.length * 1e-6).toFixed(7)))) - 1]! * (value < 0 ? -1 : 1);
  const result = { ...sample, variants: withAccuracies(sample.variants, unique), stages: withAccuracies(sample.stages, unique) } as RunResult;
  const document = page(result);
  for (const hidden of [...document.querySelectorAll("script, pre, style")]) hidden.remove(); // JSON and config hold fractions
  const labels = [...document.querySelectorAll("[aria-label]")].map((element) => element.getAttribute("aria-label") ?? "");
  const shown = [...[...document.querySelectorAll("main *, header *")].map(({ textContent }) => textContent ?? ""), ...labels].join("\n");
  assert.ok(accuracies.length > 50, String(accuracies.length));
  assert.equal(shownAsFractions(shown, accuracies), []);
  for (const { accuracy } of result.variants) assert.match(shown, (100 * accuracy!.map).toFixed(1));
  const axes = [...document.querySelectorAll("svg")].map(({ textContent }) => textContent ?? "").filter((axis) => axis.includes("mAP"));
  assert.ok(axes.length > 0);
  for (const axis of axes) assert.match(axis, "points");
});

test("a limit and what was measured: in points, milliseconds or as they are, and never the same text for different figures", () => {
  for (const [metric, limit, value, shown] of [
    ["mapDrop", 0.02, 0.0203, "2.03 points, limit 2.00 points"], ["mapDrop", 0.02, 0.024, "2.4 points, limit 2.0 points"], ["map50Drop", 0.02, -0.011, "−1.1 points, limit 2.0 points"],
    ["ap.pedestrian", 0.4, 0.31, "31.0 points, limit 40.0 points"], ["map", 0.5, null, "not measured, limit 50.0 points"], ["pi5.p99Ms", 50, 50.001, "50.001 ms, limit 50 ms"],
    ["sizeRatio", 0.1, 0.25, "0.25, limit 0.1"], ["map.p50Ms", 5, 6, "6 ms, limit 5 ms"], ["mapDrop", 0.02, 0.02, "2.0 points, limit 2.0 points"], ["mapDrop", 0, -0.00001, "0.000 points, limit 0.000 points"],
  ] as const) {
    const text = limitTexts(metric, limit, value);
    if (value === null || Math.abs(value) > 1e-4) assert.is(`${text.value}, limit ${text.limit}`, shown);
    else assert.is.not(text.value, text.limit);
  }
});

test("an unstable benchmark is shown with its reason", () => {
  assert.match(text(sample), /not stable.*p90 is 1\.31 of p50/);
});

test("an emulated record gives no figure: not in the headline, the table or a plot", () => {
  const emulated = withRecords(int8, { emulated: true, inferenceMs: { p50: 987.6, p90: 987.6, p95: 987.6, p99: 987.6, mean: 987.6, min: 987.6, max: 987.6 } });
  const result = { ...sample, variants: [teacher, emulated] };
  const document = page(result);
  assert.is(document.querySelectorAll("#tradeoff .wide circle").length, 2);
  for (const element of document.querySelectorAll("#run, svg > g")) element.remove();
  assert.not.match(document.querySelector("html")?.textContent ?? "", /987|988/);
  assert.match(text(result), /emulated/);
  assert.is(heading(result), "int8 is 22× smaller than the teacher, at −6.4 points mAP");
});

test("plots have a title, a caption and a label", () => {
  const figures = [...page(sample).querySelectorAll(".plot-card")];
  assert.is(figures.length, 6);
  for (const figure of figures) {
    assert.ok(figure.querySelector("h3")?.textContent);
    assert.ok(figure.querySelector("figcaption")?.textContent);
    for (const svg of figure.querySelectorAll("svg")) assert.ok(svg.getAttribute("aria-label") && svg.getAttribute("role") === "img");
  }
});

const soak = (temperatureC: number | null, fps = [200, 190, 150]) => fps.map((value, at) => ({ seconds: 120 * (at + 1), fps: value, p99Ms: 7, temperatureC: temperatureC === null ? null : temperatureC + 10 * at, clockMHz: null }));
const withSoak = (change: object): RunResult => ({ ...sample, variants: [teacher, withRecords(int8, change)] });

test("FPS over time has a plot per target, with the temperature below where the target tells it", () => {
  const figures = [...page(withSoak({ soak: soak(60) })).querySelectorAll("#soak figure")];
  assert.equal(figures.map((figure) => figure.querySelector("h3")?.textContent), ["FPS over time on local", "FPS over time on pi5"]);
  for (const figure of figures) {
    assert.match(figure.querySelector("figcaption")?.textContent ?? "", "int8 200 → 150 (25 % less). 80 °C at most.");
    assert.equal([...figure.querySelectorAll(".wide svg")].map((svg) => /^\w+ over time/.exec(svg.getAttribute("aria-label") ?? "")?.[0]), ["FPS over time", "Temperature over time"]);
    assert.is(figure.querySelectorAll(".wide circle").length, 6);
  }
  const cold = page(withSoak({ soak: soak(null) })).querySelector("#soak figure");
  assert.is(cold?.querySelectorAll(".wide svg").length, 1);
  assert.match(cold?.querySelector("figcaption")?.textContent ?? "", "tells no temperature");
});

test("no plot of FPS over time where one point is all, or an emulator made them", () => {
  for (const change of [{ soak: soak(60, [200]) }, { soak: soak(60), emulated: true }]) assert.is(page(withSoak(change)).querySelector("#soak"), null);
});

test("benchmark records without a run are a page: a table per target, FPS over time, names that tell records apart", () => {
  const [local, pi5] = [{ ...int8.latency["local"]!, model: hostile, soak: soak(60) }, { ...int8.latency["pi5"]!, soak: soak(null) }];
  const out = renderRecords("week 3", [local, { ...local, threads: 1, emulated: true, fps: 987.6 }, pi5]);
  const document = parsePage(out);
  assert.equal([...document.querySelectorAll(".records tbody th")].map(({ textContent }) => textContent), [`${hostile}, 2 threads, batch 1`, `${hostile}, 1 thread, batch 1`, pi5.model]);
  assert.match(document.querySelector(".records tbody tr")?.textContent ?? "", /4\.60.*not stable.*p90 is 1\.31 of p50/);
  assert.equal([...document.querySelectorAll("#soak h3")].map(({ textContent }) => textContent), ["FPS over time on local", "FPS over time on pi5"]);
  assert.is(document.querySelectorAll("img, script:not(#records)").length, 0);
  document.querySelector("#records")?.remove();
  assert.not.match(document.querySelector("html")?.textContent ?? "", /987|988/);
});

test("pictures travel inside the file, a missing one is named", () => {
  const document = page(sample, new Map([["pictures/0-teacher.png", png]]));
  assert.equal([...document.querySelectorAll("img")].map((image) => image.getAttribute("src")), ["data:image/png;base64,iVBORw=="]);
  assert.match(document.querySelector("#pictures")?.textContent ?? "", /picture not found: pictures\/0-distilled\.png/);
});

test("picture paths are those that the run names", () => {
  assert.is(picturePaths(sample).length, 6);
  assert.equal(picturePaths(empty), []);
});

test("a curve of one point is no plot, but its figures stay", () => {
  const point = { epoch: 1, step: 100, losses: { box: 1.25 }, map: 0.1, lr: 0.001, imagesPerSecond: 60 };
  const stages: RunResult["stages"] = [{ name: "distill", hash: "", seconds: 1, report: { curves: { distilled: [point] } } }];
  const document = page({ ...empty, stages });
  assert.is(document.querySelectorAll("svg").length, 0);
  assert.match(document.querySelector("#training")?.textContent ?? "", /box 1\.25/);
});

test("only pictures are embedded: no scripts by data URI, no SVG, no other address", () => {
  const pictures = ["data:text/html;base64,AAAA", "https://example.org/a.png", "data:image/svg+xml;base64,AAAA", `data:image/png;base64,AA" onload="x`].map((dataUri) => ({ variant: "teacher", dataUri }));
  const stages: RunResult["stages"] = [{ name: "evaluate", hash: "", seconds: 1, report: { samples: [{ image: "a", pictures: [...pictures, { variant: "teacher", path: "a.svg" }] }] } }];
  const document = page({ ...sample, stages }, new Map([["a.svg", { mime: "image/svg+xml", bytes: png.bytes }]]));
  assert.is(document.querySelectorAll("img").length, 0);
});

test("nothing is loaded and nothing runs", () => {
  const out = renderReport(sample, none);
  assert.not.match(out, /\b(src|href|srcset|action|poster)\s*=\s*["']?(?!data:)\w+:/i);
  assert.not.match(out, /url\(|@import|https?:\/\//i);
  const document = page(sample);
  assert.is(document.querySelectorAll("link, iframe, object, embed, script:not([type='application/json'])").length, 0);
});

test("hostile text everywhere adds no element and no attribute", () => {
  const fixed = new Set(["teacher", "baseline", "distilled", "pruned", "int8", "plan", "distill", "prune", "quantize", "evaluate", "benchmark", "bundle"]);
  const result = parseRunResult(JSON.stringify(poisoned({ ...sample, variants: [...sample.variants, { ...int8, name: hostile }] }, fixed)), "run.json");
  const document = page(result);
  assert.is(document.querySelectorAll("img").length, 0);
  assert.is(document.querySelectorAll("script").length, 1);
  assert.is(document.querySelectorAll("[onerror]").length, 0);
  assert.ok(text(result).includes(hostile));
  assert.not.match(renderReport(result, none), /<img|<\/script>(?!\n<\/body>)/);
});

test("the embedded run.json reads back as the run", () => {
  const name = `${hostile}\u2028`;
  const out = renderReport({ ...sample, name }, none);
  const embedded = /<script type="application\/json" id="run">(.*)<\/script>/.exec(out)?.[1] ?? "";
  assert.equal(parseRunResult(embedded, "report.html"), { ...sample, name });
});

test("the same run gives the same bytes", () => assert.is(renderReport(sample, none), renderReport(structuredClone(sample), none)));

const incomplete: readonly (readonly [string, RunResult, readonly string[]])[] = [
  ["nothing", empty, ["Provenance"]],
  ["no stages and gates", { ...sample, stages: [], gates: [] }, ["Variants", "Accuracy against latency", "Classes", "Provenance"]],
  ["a single variant", { ...sample, variants: [teacher], stages: [], gates: [] }, ["Variants", "Accuracy against latency", "Classes", "Provenance"]],
  ["no latency", { ...sample, variants: sample.variants.map((variant) => ({ ...variant, latency: {} })), stages: [], gates: [] }, ["Variants", "Classes", "Provenance"]],
  ["no accuracy", { ...sample, variants: sample.variants.map((variant) => ({ ...variant, accuracy: null })), stages: [], gates: [] }, ["Variants", "Provenance"]],
  ["no prune", { ...sample, variants: [], gates: [], stages: sample.stages.filter(({ name }) => name !== "prune") }, ["The same pictures, side by side", "Training", "Quantization", "Provenance"]],
  ["empty reports", { ...empty, stages: [{ name: "distill", hash: "", seconds: 0, report: {} }, { name: "prune", hash: "", seconds: 0, report: {} }, { name: "quantize", hash: "", seconds: 0, report: {} }, { name: "evaluate", hash: "", seconds: 0, report: {} }] }, ["Provenance"]],
];
for (const [what, result, sections] of incomplete)
  test(`a run with ${what} still renders`, () => {
    assert.equal(headings(result), sections);
    assert.not.match(renderReport(result, none), /NaN|undefined|Infinity|\[object/);
  });

test("without a baseline the curves show the distilled student alone", () => {
  const stages = sample.stages.map((stage) => {
    const distilled = stage.name === "distill" ? stage.report.curves?.distilled : undefined;
    return stage.name === "distill" && distilled ? { ...stage, report: { curves: { distilled } } } : stage;
  });
  const training = page({ ...sample, stages }).querySelector("#training")?.textContent ?? "";
  assert.match(training, /distilled/);
  assert.not.match(training, /baseline/);
});

test("a sensitivity in dB is shown lowest first", () => {
  const stages: RunResult["stages"] = [{ name: "quantize", hash: "", seconds: 1, report: { sensitivity: [{ node: "quiet", sqnrDb: 40 }, { node: "loud", sqnrDb: 8.5 }] } }];
  const titles = [...page({ ...empty, stages }).querySelectorAll("#quantization .wide title")].map(({ textContent }) => textContent);
  assert.equal(titles, ["loud: 8.5", "quiet: 40"]);
});

test.run();
