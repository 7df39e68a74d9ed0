import { createTarDecoder } from "modern-tar";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../graph/error.ts";
import { isInside, leavesBundle, notPlain } from "./checksums.ts";

/** What an archive may hold at most: a bundle of the largest detectors is well below. */
export const archiveLimits = { bytes: 2 ** 32, files: 20_000 } as const;

/**
 * Unpacks the .tar that `edgestill bundle` writes into `into`; its one folder. Nothing is written outside: only plain files and folders with paths that stay inside are taken.
 * Throws UserError NOT_A_BUNDLE, BUNDLE_PATH, BUNDLE_ARCHIVE, BUNDLE_SIZE.
 */
export const unpackArchive = async (archive: string, into: string, limits: typeof archiveLimits | { readonly bytes: number; readonly files: number } = archiveLimits): Promise<string> => {
  if ((await stat(archive)).size > limits.bytes) throw tooLarge(archive, limits);
  const found = { bytes: 0, files: 0, top: "" };
  const written = new Set<string>();
  const entries = (Readable.toWeb(createReadStream(archive)) as ReadableStream<Uint8Array>).pipeThrough(createTarDecoder({ strict: true }));
  try {
    for await (const { header: { name, size, type }, body } of entries as unknown as AsyncIterable<Entry>) {
      const path = type === "directory" ? name.replace(/\/$/, "") : name;
      if (!isInside(path)) throw leavesBundle(path);
      if (type !== "file" && type !== "directory") throw notPlain(path);
      found.bytes += size;
      if (++found.files > limits.files || found.bytes > limits.bytes) throw tooLarge(archive, limits);
      const [top] = path.split("/") as [string];
      if (found.top !== "" && top !== found.top) throw badArchive(archive, `it holds "${found.top}" and "${top}", not one folder`);
      found.top = top;
      if (type === "directory") {
        await body.cancel();
        continue;
      }
      if (written.has(path)) throw badArchive(archive, `it holds ${path} twice`);
      written.add(path);
      await mkdir(dirname(join(into, path)), { recursive: true });
      await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(join(into, path), { flags: "wx" }));
    }
  } catch (cause) {
    throw cause instanceof UserError ? cause : badArchive(archive, cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause), cause);
  }
  if (written.size === 0) throw badArchive(archive, "it is empty");
  return join(into, found.top);
};

interface Entry {
  readonly header: { readonly name: string; readonly size: number; readonly type?: string };
  readonly body: ReadableStream<Uint8Array>;
}

const badArchive = (archive: string, reason: string, cause?: unknown): UserError =>
  new UserError("BUNDLE_ARCHIVE", `${archive} is not an archive that \`edgestill bundle\` wrote: ${reason}.`, "take the archive anew from where it was made, or give the bundle's folder.", { cause });

const tooLarge = (archive: string, { bytes, files }: { readonly bytes: number; readonly files: number }): UserError =>
  new UserError("BUNDLE_SIZE", `${archive} holds more than ${files} files or ${(bytes / 2 ** 20).toFixed(0)} MiB.`, "no bundle is so large: do not use it, or unpack it yourself and give the folder.");
