import { stat } from "node:fs/promises";
import { join } from "node:path";
import { inputLimits } from "../input/limits.ts";
import { isMissing, readPlainFile } from "../input/read.ts";
import { sha256File, sha256Of } from "./digest.ts";

/**
 * A file that a later step reads back is sealed: it is used only as it was written. A JSON record carries its own digest in the member
 * `seal`, with what it is of: a record that was copied over another one is found too. Every other file has its digest in a sealed record.
 * This finds accidents (a bad disk, a copy that broke off, an edit); who can write the folder can write digests as well.
 */

/** What is wrong with a file, as the end of a sentence that begins with its path. */
export type Damage = "is missing" | "is empty" | "is cut short" | "is not what was written" | "belongs to something else" | "has no digest (an older version wrote it)" | "cannot be read";

/** A file as it was written. */
export interface FileSeal {
  /** Relative to the folder that the record speaks of. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export const sealOf = async (folder: string, path: string): Promise<FileSeal> => {
  const file = join(folder, path);
  return { path, sizeBytes: (await stat(file)).size, sha256: await sha256File(file) };
};

/** What is wrong with a sealed file; undefined where it is as it was written. */
export const damageOf = async (folder: string, { path, sizeBytes, sha256 }: FileSeal): Promise<Damage | undefined> => {
  const file = join(folder, path);
  const found = await stat(file).catch((error: unknown) => error);
  if (found instanceof Error) return isMissing(found) ? "is missing" : "cannot be read";
  const { size } = found as { readonly size: number };
  if (size !== sizeBytes) return size === 0 ? "is empty" : size < sizeBytes ? "is cut short" : "is not what was written";
  const digest = await sha256File(file).catch(() => undefined);
  return digest === sha256 ? undefined : digest === undefined ? "cannot be read" : "is not what was written";
};

/** The text of a sealed record: `content` with its digest. `of` says what it is a record of: its kind, and all that it depends on. */
export const sealedText = (of: string, content: object, indent = 2): string =>
  `${JSON.stringify({ seal: { of, sha256: digestOf(of, content) }, ...content }, null, indent)}\n`;

export type Unsealed = { readonly content: unknown; readonly damage?: undefined } | { readonly content?: undefined; readonly damage: Damage };

/** Reads a sealed record's text. `of` undefined takes a record of anything. */
export const unseal = (text: string, of: string | undefined): Unsealed => {
  if (text.trim() === "") return { damage: "is empty" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { damage: text.trimEnd().endsWith("}") ? "is not what was written" : "is cut short" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || !("seal" in value)) return { damage: "has no digest (an older version wrote it)" };
  const { seal, ...content } = value;
  if (!isSeal(seal) || digestOf(seal.of, content) !== seal.sha256) return { damage: "is not what was written" };
  return of !== undefined && seal.of !== of ? { damage: "belongs to something else" } : { content };
};

export const readSealed = async (path: string, of: string | undefined): Promise<Unsealed> => {
  try {
    return unseal((await readPlainFile(path, inputLimits.textBytes)).toString("utf8"), of);
  } catch (error) {
    return { damage: isMissing(error) ? "is missing" : "cannot be read" };
  }
};

const isSeal = (value: unknown): value is { readonly of: string; readonly sha256: string } =>
  typeof value === "object" && value !== null && "of" in value && typeof value.of === "string" && "sha256" in value && typeof value.sha256 === "string";

/** Of the compact JSON: white space is free, so that people can read the file. */
const digestOf = (of: string, content: object): string => sha256Of(`${of}\n${JSON.stringify(content)}`);
