import { escapeJson } from "../escape/html.ts";
import { html, raw, type Html } from "./markup.ts";
import { style } from "./style.ts";

/** Nothing is loaded and nothing runs: styles are inline, pictures are data URIs, there is no script. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export interface Page {
  readonly name: string;
  readonly headline: string;
  readonly tiles?: Html | undefined;
  readonly sections: Html;
  /** What the page was made from, embedded as `<script type="application/json" id="…">`. */
  readonly data: unknown;
  readonly id: "run" | "records";
}

/** A whole HTML document in the report's look. */
export const page = ({ name, headline, tiles, sections, data, id }: Page): string => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${name} · Edgestill</title><style>${raw(style)}</style></head>
<body><header><p class="kicker">Edgestill <span>/</span> ${name}</p><h1>${headline}</h1>${tiles}</header>
<main>${sections}</main>
<script type="application/json" id="${id}">${raw(escapeJson(data))}</script>
</body></html>
`.text;
