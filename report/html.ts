import type { RunResult } from "../pipeline/result.ts";
import { classSection } from "./classes.ts";
import { html } from "./markup.ts";
import { page } from "./page.ts";
import { pictureSection, type Assets } from "./pictures.ts";
import { provenanceSection } from "./provenance.ts";
import { pruningSection } from "./pruning.ts";
import { quantizationSection } from "./quantization.ts";
import { scatterSection } from "./scatter.ts";
import { soakSection } from "./soak.ts";
import { choosingNote, gateList, headline, tiles } from "./summary.ts";
import { variantTable } from "./table.ts";
import { trainingSection } from "./training.ts";

export { picturePaths, type Asset, type Assets } from "./pictures.ts";

/**
 * The report of a run: one HTML document without network access or script, the same bytes for the same run.
 * `assets` holds the pictures that run.json names by path; a picture that it lacks is shown as missing.
 * run.json itself is embedded as `<script type="application/json" id="run">`.
 */
export function renderReport(result: RunResult, assets: Assets): string {
  return page({
    name: result.name, headline: headline(result), tiles: tiles(result), id: "run", data: result,
    sections: html`${gateList(result.gates)}
${variantTable(result)}
${choosingNote(result)}
${scatterSection(result)}
${soakSection(result)}
${pictureSection(result, assets)}
${trainingSection(result)}
${pruningSection(result)}
${quantizationSection(result)}
${classSection(result)}
${provenanceSection(result)}`,
  });
}
