import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeWhole } from "../files/write.ts";
import { UserError } from "../graph/error.ts";
import { Tensor } from "../graph/tensor.ts";
import { isMissing, readPlainFile } from "../input/read.ts";
import { checkpointCorrupt, checkpointOfOther, checkpointUnwritable } from "./errors.ts";
import type { TrainingState } from "./state.ts";

/*
 * File: magic (8 bytes), header length (uint32 little-endian), header (JSON), float32 vectors in the header's order, SHA-256 of all that.
 */
const magic = Buffer.from("ESTRAIN1");
const digestBytes = 32;
/** What Node.js reads at once. */
const largestCheckpoint = 2 ** 31 - 1;

interface Header extends Omit<TrainingState, "vectors"> {
  /** Fingerprint of the problem, the data and the options. */
  readonly problem: string;
  readonly vectors: readonly { readonly name: string; readonly size: number }[];
}

/** Writes the state so that `path` always holds a complete checkpoint: a temporary file is flushed, then renamed. Throws UserError CHECKPOINT_WRITE. */
export const writeCheckpoint = async (path: string, problem: string, state: TrainingState): Promise<void> => {
  const { vectors, ...rest } = state;
  const entries = Object.entries(vectors);
  const header: Header = { ...rest, problem, vectors: entries.map(([name, tensor]) => ({ name, size: tensor.size })) };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.byteLength);
  const parts = [magic, length, json, ...entries.map(([, tensor]) => tensor.bytes)];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, [...parts, hash.digest()]);
  } catch (cause) {
    throw cause instanceof UserError ? cause : checkpointUnwritable(path, cause);
  }
};

/** The state in `path`; undefined if there is no such file. Throws UserError CHECKPOINT_CORRUPT, or CHECKPOINT_OTHER where `problem` differs. */
export const readCheckpoint = async (path: string, problem: string): Promise<TrainingState | undefined> => {
  const bytes = await readWhole(path);
  if (!bytes) return undefined;
  const { header, body } = parse(path, bytes);
  if (header.problem !== problem) throw checkpointOfOther(path);
  const vectors: Record<string, Tensor> = {};
  let offset = 0;
  for (const { name, size } of header.vectors) {
    vectors[name] = new Tensor("float32", [size], body.slice(offset, offset += 4 * size));
  }
  const { step, updates, skippedInRow, sums, history } = header;
  return { step, updates, skippedInRow, sums, history, vectors };
};

const readWhole = (path: string): Promise<Buffer | undefined> => readPlainFile(path, largestCheckpoint).catch((error: unknown) => {
  if (isMissing(error)) return undefined;
  throw checkpointCorrupt(path, error instanceof Error ? error.message : String(error));
});

/** Epochs that the checkpoint in `path` has behind it; undefined if there is no such file. Throws UserError CHECKPOINT_CORRUPT. */
export const checkpointEpochs = async (path: string): Promise<number | undefined> => {
  const bytes = await readWhole(path);
  return bytes && parse(path, bytes).header.history.length;
};

const parse = (path: string, bytes: Buffer): { readonly header: Header; readonly body: Uint8Array } => {
  const start = magic.byteLength + 4;
  if (bytes.byteLength < start + digestBytes || !bytes.subarray(0, magic.byteLength).equals(magic)) throw checkpointCorrupt(path, "it is not a training checkpoint");
  const content = bytes.subarray(0, -digestBytes);
  if (!createHash("sha256").update(content).digest().equals(bytes.subarray(-digestBytes))) throw checkpointCorrupt(path, "its checksum does not match");
  const end = start + bytes.readUInt32LE(magic.byteLength);
  return { header: JSON.parse(content.toString("utf8", start, end)) as Header, body: new Uint8Array(content.subarray(end)) };
};
