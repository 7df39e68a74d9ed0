import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../../../graph/error.ts";
import { encodePng } from "../../../vision/image.ts";
import { pattern } from "../images.ts";

/** A temporary dataset: text files as given, `[width, height]` as a PNG of that size. Removed when `use` is done. */
export async function withDataset<T>(files: Readonly<Record<string, string | readonly [number, number]>>, use: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(path.join(tmpdir(), "edgestill-data-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), typeof content === "string" ? content : await encodePng(pattern(...content)));
    }
    return await use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** The UserError that `work` fails with; fails itself if it does not. */
export async function failure(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`, { cause: error });
}
