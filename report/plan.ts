import { stageReport, type JsonValue, type RunResult } from "../pipeline/result.ts";
import { html, type Html } from "./markup.ts";

/** What was compared before anything was trained, and what was said about data and models. */
export function planSection(result: RunResult): Html | undefined {
  const { proofs, notes } = stageReport(result, "plan") ?? {};
  const lines = [...listOf(proofs).flatMap(textOf), ...listOf(notes).filter((note) => typeof note === "string")];
  if (lines.length === 0) return undefined;
  return html`<section id="plan"><h2>Checked before training</h2>
${lines.map((line) => html`<p class="caption">${line}</p>`)}</section>`;
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? (value as readonly JsonValue[]) : []);

const textOf = (proof: JsonValue): string[] => {
  const text = typeof proof === "object" && proof !== null && "text" in proof ? proof.text : undefined;
  return typeof text === "string" ? [text] : [];
};
