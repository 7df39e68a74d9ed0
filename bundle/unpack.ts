import { createTarDecoder } from "modern-tar";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../graph/error.ts";
import { openPlainFile, readBeginning } from "../input/read.ts";
import { fileAccess, reasonOf } from "../input/reason.ts";
import { bundleLimits, isInside, leavesBundle, nameChecker, notPlain, tooLarge } from "./checksums.ts";

/**
 * Unpacks the .tar that `edgestill bundle` writes into the folder `into`; its one folder. Nothing is written outside: only plain files and folders with paths that stay
 * inside and that every system can hold are taken. An archive that is refused leaves nothing there.
 * Throws UserError NOT_A_BUNDLE, BUNDLE_PATH, BUNDLE_ARCHIVE, BUNDLE_SIZE, DISK_FULL, FILE_ACCESS.
 */
export const unpackArchive = async (archive: string, into: string, limits: Limits = bundleLimits): Promise<string> => {
  const { bytes: magic, sizeBytes } = await readBeginning(archive, 2).catch((cause: unknown) => { throw badArchive(archive, reasonOf(cause), cause); });
  if (magic[0] === 0x1f && magic[1] === 0x8b) throw badArchive(archive, "it is compressed (gzip)");
  if (sizeBytes > limits.bytes) throw tooLarge(archive, limits);
  const unpacked: Unpacked = { bytes: 0, entries: 0, top: "", files: new Set(), check: nameChecker() };
  const entries = (Readable.toWeb((await openPlainFile(archive)).file.createReadStream()) as ReadableStream<Uint8Array>).pipeThrough(createTarDecoder({ strict: true }));
  try {
    for await (const entry of entries as unknown as AsyncIterable<Entry>) await take(entry, archive, into, unpacked, limits);
    if (unpacked.files.size === 0) throw badArchive(archive, "it holds no file");
  } catch (cause) {
    if (unpacked.top !== "") await rm(join(into, unpacked.top), { recursive: true, force: true });
    if (cause instanceof UserError) throw cause;
    throw fileAccess(cause) ?? badArchive(archive, reasonOf(cause), cause);
  }
  return join(into, unpacked.top);
};

interface Limits {
  readonly bytes: number;
  readonly files: number;
}

interface Unpacked {
  bytes: number;
  entries: number;
  /** The one folder; "" before the first entry. */
  top: string;
  readonly files: Set<string>;
  readonly check: (path: string) => void;
}

const take = async ({ header: { name, size, type, pax }, body }: Entry, archive: string, into: string, unpacked: Unpacked, limits: Limits): Promise<void> => {
  const path = type === "directory" ? name.replace(/\/$/, "") : name;
  if (!isInside(path)) throw leavesBundle(path);
  if ((type !== "file" && type !== "directory") || Object.keys(pax ?? {}).some((key) => key.startsWith("GNU.sparse"))) throw notPlain(path);
  if (!Number.isSafeInteger(size) || size < 0) throw badArchive(archive, `${path} has no size that is a number`);
  unpacked.bytes += size;
  if (++unpacked.entries > limits.files || unpacked.bytes > limits.bytes) throw tooLarge(archive, limits);
  unpacked.check(path);
  const [top] = path.split("/") as [string];
  if (unpacked.top !== "" && top !== unpacked.top) throw badArchive(archive, `it holds "${unpacked.top}" and "${top}", not one folder`);
  if (unpacked.top === "") {
    await mkdir(into, { recursive: true });
    await mkdir(join(into, top)); // fails where there is one already: it is not ours to remove
    unpacked.top = top;
  }
  if (type === "directory") return body.cancel();
  if (path === top) throw badArchive(archive, `"${top}" is a file, not a folder`);
  if (unpacked.files.has(path)) throw badArchive(archive, `it holds ${path} twice`);
  unpacked.files.add(path);
  const place = join(into, path);
  await mkdir(dirname(place), { recursive: true }).catch((cause: NodeJS.ErrnoException) => { throw cause.code === "EEXIST" || cause.code === "ENOTDIR" ? badArchive(archive, `a part of ${path} is a file`, cause) : cause; });
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(place, { flags: "wx" })).catch((cause: unknown) => { throw ["EISDIR", "EEXIST"].includes(String((cause as { readonly code?: unknown }).code)) ? badArchive(archive, `${path} is a file and a folder`, cause) : cause; });
};

interface Entry {
  readonly header: { readonly name: string; readonly size: number; readonly type?: string; readonly pax?: Readonly<Record<string, string>> };
  readonly body: ReadableStream<Uint8Array>;
}

const badArchive = (archive: string, reason: string, cause?: unknown): UserError =>
  new UserError("BUNDLE_ARCHIVE", `${archive} is not an archive that \`edgestill bundle\` wrote: ${reason}.`, "take the archive anew from where it was made, or give the bundle's folder.", { cause });
