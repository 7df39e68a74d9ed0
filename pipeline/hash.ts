import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** sha256 (hex) of JSON-able values and bytes, in order. */
export const hashOf = (...parts: readonly unknown[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part instanceof Uint8Array ? part : `${JSON.stringify(part)}\n`);
  return hash.digest("hex");
};

/** sha256 (hex) of a file, read as a stream. */
export const hashFile = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
};
