import type { Gate, Loss, RunResult, Variant } from "../pipeline/result.ts";
import { bytes, count, ms, plural, points, signedPoints, times } from "./figures.ts";
import { limitTexts } from "./limits.ts";
import { html, type Html } from "./markup.ts";
import { compareLatency, finalVariant, isStable, teacherOf } from "./variants.ts";

/** What was won and lost, in one sentence with figures; a variant that lost more than allowed comes first. */
export function headline(result: RunResult): string {
  const losses = (result.losses ?? []).map(lossText);
  return losses.length === 0 ? summary(result) : `Not as good as it started: ${losses.join("; ")}. ${summary(result)}`;
}

/** One variant below its parent, in points of mAP. */
export const lossText = ({ variant, parent, drop, allowed }: Loss): string => {
  const texts = limitTexts("mapDrop", allowed, drop);
  return `${variant} is ${texts.value} of mAP below ${parent} (allowed: ${texts.limit.replace(" points", "")})`;
};

/** Where the figures come from, and how much choosing can have raised them. */
export function choosingText({ choosing }: RunResult): string | undefined {
  if (!choosing) return undefined;
  const { measuredOn, pictures, candidates, standardError, helpedAtMost } = choosing;
  const error = standardError === null ? "" : ` Another sample of so many pictures would change a figure by about ±${points(standardError)} points (one standard error).`;
  if (measuredOn === "test") return `Measured on ${pictures} test pictures (data.test); choices among ${plural(candidates, "candidate")} were made on data.val.${error}`;
  if (candidates < 2) return `Measured on the ${pictures} pictures of data.val; nothing was chosen on them.${error}`;
  const help = helpedAtMost === null ? "" : `, which can have raised the last variant's mAP by up to about ${points(helpedAtMost)} points`;
  return `Chosen and measured on the same ${pictures} pictures: ${plural(candidates, "candidate")} were compared on them${help}. Give data.test for figures without that.${error}`;
}

function summary(result: RunResult): string {
  const teacher = teacherOf(result);
  const final = finalVariant(result);
  if (!final) return `${result.name}: no variant yet`;
  if (!teacher || teacher === final)
    return `${final.name}: ${bytes(final.sizeBytes)}${final.accuracy ? `, ${points(final.accuracy.map)} mAP` : ", not evaluated yet"}`;
  const latency = compareLatency(teacher, final);
  const won = [
    comparison(teacher.sizeBytes, final.sizeBytes, "smaller", "larger", "equally large"),
    ...(latency ? [comparison(latency.before.inferenceMs.p50, latency.after.inferenceMs.p50, "faster", "slower", "equally fast")] : []),
  ];
  const than = won.every((part) => part.includes("×")) ? "than" : "compared with";
  return `${final.name} is ${won.join(" and ")} ${than} the teacher${latency ? ` on ${latency.target}${isStable(latency) ? "" : " (benchmark not stable)"}` : ""}, ${lost(teacher, final)}`;
}

function comparison(before: number, after: number, better: string, worse: string, same: string): string {
  if (before <= 0 || after <= 0) return same;
  const ratio = before / after;
  if (Math.abs(ratio - 1) < 0.05) return same;
  return ratio > 1 ? `${times(ratio)} ${better}` : `${times(1 / ratio)} ${worse}`;
}

const lost = (teacher: Variant, final: Variant): string =>
  teacher.accuracy && final.accuracy ? `at ${signedPoints(final.accuracy.map - teacher.accuracy.map)} points mAP` : "mAP not measured";

/** The four figures of teacher and final variant side by side. */
export function tiles(result: RunResult): Html | undefined {
  const teacher = teacherOf(result);
  const final = finalVariant(result);
  if (!teacher || !final || teacher === final) return undefined;
  const latency = compareLatency(teacher, final);
  return html`<div class="tiles">
${teacher.accuracy && final.accuracy && tile("mAP", points(teacher.accuracy.map), points(final.accuracy.map), `${signedPoints(final.accuracy.map - teacher.accuracy.map)} points`)}
${latency && tile(`p50 latency, ${latency.target}`, ms(latency.before.inferenceMs.p50), `${ms(latency.after.inferenceMs.p50)} ms`, `${comparison(latency.before.inferenceMs.p50, latency.after.inferenceMs.p50, "faster", "slower", "the same")}${isStable(latency) ? "" : " (not stable)"}`)}
${tile("file size", bytes(teacher.sizeBytes), bytes(final.sizeBytes), comparison(teacher.sizeBytes, final.sizeBytes, "smaller", "larger", "the same"))}
${tile("MACs", count(teacher.macs), count(final.macs), comparison(teacher.macs, final.macs, "fewer", "more", "the same"))}
</div>`;
}

const tile = (label: string, before: string, after: string, change: string): Html =>
  html`<div class="tile"><span class="label">${label}</span><span class="value">${after}</span><span class="change">${change}</span><span class="before">teacher ${before}</span></div>`;

/** Every limit of the config with what was reached. */
export function gateList(gates: readonly Gate[]): Html | undefined {
  if (gates.length === 0) return undefined;
  const failed = gates.filter(({ passed }) => !passed).length;
  return html`<section id="gates"><h2>Gates <small class="${failed > 0 ? "fail" : "pass"}">${failed > 0 ? `${failed} of ${gates.length} failed` : "all passed"}</small></h2>
<ul class="gates">${gates.map(gateItem)}</ul></section>`;
}

function gateItem({ name, limit, value, passed }: Gate): Html {
  const text = limitTexts(name, limit, value);
  return html`<li class="${passed ? "pass" : "fail"}"><b>${passed ? "✓ pass" : "✕ fail"}</b><code>${name}</code><span>${text.value} <small>limit ${text.limit}</small></span></li>`;
}

/** Under the table of variants. */
export function choosingNote(result: RunResult): Html | undefined {
  const text = choosingText(result);
  return text === undefined ? undefined : html`<p class="note">${text}</p>`;
}
