import path from "node:path";
import { beginningOf, byCodePoint, kindOf, listFiles, entriesOf } from "./files.ts";

const isText = (file: string) => /\.txt$/i.test(file);
const stemOf = (file: string) => path.basename(file, path.extname(file));

/** Where the labels of a picture may be, the likeliest first. The last `images` folder of the path has a `labels` folder beside it. */
export function labelFiles(picture: string): string[] {
  const mirrored = labelFolder(path.dirname(picture));
  return [...(mirrored === undefined ? [] : [path.join(mirrored, `${stemOf(picture)}.txt`)]), path.join(path.dirname(picture), `${stemOf(picture)}.txt`)];
}

/** `…/labels/…` for a folder `…/images/…`. */
function labelFolder(folder: string): string | undefined {
  const parts = folder.split(path.sep);
  const at = parts.lastIndexOf("images");
  return at < 0 ? undefined : [...parts.slice(0, at), "labels", ...parts.slice(at + 1)].join(path.sep);
}

/** The label files of a YOLO data set: each folder is listed once; the extension's case does not matter. */
export class LabelFolders {
  readonly #listings = new Map<string, Promise<ReadonlyMap<string, string>>>();
  /** How many pictures each label file was found for. */
  readonly #used = new Map<string, number>();

  /** The label file of a picture, if there is one. */
  async find(picture: string): Promise<string | undefined> {
    for (const candidate of labelFiles(picture)) {
      const file = (await this.#list(path.dirname(candidate))).get(stemOf(candidate));
      if (file === undefined) continue;
      this.#used.set(file, (this.#used.get(file) ?? 0) + 1);
      return file;
    }
    return undefined;
  }

  /** Label files that several pictures share: a.jpg and a.png. */
  get shared(): string[] {
    return [...this.#used].flatMap(([file, pictures]) => (pictures > 1 ? [file] : [])).sort(byCodePoint);
  }

  /** Label files of these picture folders that belong to no picture. Other text files are not meant. */
  async orphans(pictureFolders: readonly string[]): Promise<string[]> {
    const folders = new Set(pictureFolders.flatMap((folder) => [folder, labelFolder(folder) ?? folder]));
    const found: string[] = [];
    for (const folder of folders) {
      if ((await kindOf(folder)) !== "folder") continue;
      for (const file of await listFiles(folder, isText)) if (!this.#used.has(file) && (await looksLikeLabels(file))) found.push(file);
    }
    return [...new Set(found)].sort(byCodePoint);
  }

  #list(folder: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#listings.get(folder);
    if (known) return known;
    const listing = namesIn(folder).then((names) => new Map(names.filter(isText).sort(byCodePoint).reverse().map((name) => [stemOf(name), path.join(folder, name)])));
    this.#listings.set(folder, listing);
    return listing;
  }
}

/** None where there is no such folder; one that may not be read is no folder without labels. Throws UserError DATASET_UNREADABLE. */
const namesIn = async (folder: string): Promise<string[]> => ((await kindOf(folder)) === "folder" ? (await entriesOf(folder)).map(({ name }) => name) : []);

/** A line of numbers, a class and at least four more; or nothing at all in a folder of labels. */
const looksLikeLabels = async (file: string): Promise<boolean> => {
  const text = (await beginningOf(file, 8000)).trim();
  return text === "" ? file.split(path.sep).includes("labels") : /^\d+(\.0*)?([ \t]+[\d.eE+-]+){4,}\s*$/m.test(text.slice(0, 2000));
};
