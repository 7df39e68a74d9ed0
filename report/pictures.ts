import { stageReport, type RunResult, type SamplePicture } from "../pipeline/result.ts";
import { html, type Html } from "./markup.ts";
import { stageColour } from "./plot.ts";
import { variantNamed } from "./variants.ts";

/** A file that the report shows: its bytes travel inside the HTML. */
export interface Asset {
  readonly mime: string;
  readonly bytes: Uint8Array;
}

/** Keyed by the path in run.json. */
export type Assets = ReadonlyMap<string, Asset>;

const imageTypes = ["image/png", "image/jpeg", "image/webp", "image/avif"];
const imageUri = new RegExp(`^data:(${imageTypes.join("|")});base64,[A-Za-z0-9+/=]+$`);

/** The paths of the pictures that the report shows: the keys that `assets` should have. */
export const picturePaths = (result: RunResult): string[] =>
  stageReport(result, "evaluate")?.samples?.flatMap(({ pictures }) => pictures.flatMap(({ path }) => (path === undefined ? [] : [path]))) ?? [];

/** The same pictures with the boxes of several variants side by side. */
export function pictureSection(result: RunResult, assets: Assets): Html | undefined {
  const samples = stageReport(result, "evaluate")?.samples?.filter(({ pictures }) => pictures.length > 0) ?? [];
  if (samples.length === 0) return undefined;
  return html`<section id="pictures"><h2>The same pictures, side by side</h2>
${samples.map(({ image, pictures }) => html`<figure class="sample"><figcaption><code>${image}</code></figcaption><div class="pictures">${pictures.map((picture) => framed(result, image, picture, assets))}</div></figure>`)}</section>`;
}

function framed(result: RunResult, image: string, picture: SamplePicture, assets: Assets): Html {
  const uri = source(picture, assets);
  const stage = variantNamed(result, picture.variant)?.stage;
  return html`<div class="picture">${uri === undefined ? html`<p class="missing">picture not found: ${picture.path ?? "no path"}</p>` : html`<img loading="lazy" src="${uri}" alt="${`${image} with the boxes of ${picture.variant}`}">`}<span><i class="dot" style="background:${stage ? stageColour(stage) : "var(--muted)"}"></i>${picture.variant}</span></div>`;
}

/** Only pictures, and only from inside the run: any other URI is not followed. */
function source({ dataUri, path }: SamplePicture, assets: Assets): string | undefined {
  if (dataUri !== undefined && imageUri.test(dataUri)) return dataUri;
  const asset = path === undefined ? undefined : assets.get(path);
  if (!asset || !imageTypes.includes(asset.mime)) return undefined;
  return `data:${asset.mime};base64,${Buffer.from(asset.bytes).toString("base64")}`;
}
