import type { RunResult } from "../pipeline/result.ts";
import { classSection } from "./classes.ts";
import { escapeJson, html, raw } from "./markup.ts";
import { pictureSection, type Assets } from "./pictures.ts";
import { provenanceSection } from "./provenance.ts";
import { pruningSection } from "./pruning.ts";
import { quantizationSection } from "./quantization.ts";
import { scatterSection } from "./scatter.ts";
import { soakSection } from "./soak.ts";
import { style } from "./style.ts";
import { gateList, headline, tiles } from "./summary.ts";
import { variantTable } from "./table.ts";
import { trainingSection } from "./training.ts";

export { picturePaths, type Asset, type Assets } from "./pictures.ts";

/** Nothing is loaded and nothing runs: styles are inline, pictures are data URIs, there is no script. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/**
 * The report of a run: one HTML document without network access or script, the same bytes for the same run.
 * `assets` holds the pictures that run.json names by path; a picture that it lacks is shown as missing.
 * run.json itself is embedded as `<script type="application/json" id="run">`.
 */
export function renderReport(result: RunResult, assets: Assets): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${result.name} · Edgestill</title><style>${raw(style)}</style></head>
<body><header><p class="kicker">Edgestill <span>/</span> ${result.name}</p><h1>${headline(result)}</h1>${tiles(result)}</header>
<main>${gateList(result.gates)}
${variantTable(result)}
${scatterSection(result)}
${soakSection(result)}
${pictureSection(result, assets)}
${trainingSection(result)}
${pruningSection(result)}
${quantizationSection(result)}
${classSection(result)}
${provenanceSection(result)}</main>
<script type="application/json" id="run">${raw(escapeJson(result))}</script>
</body></html>
`.text;
}
