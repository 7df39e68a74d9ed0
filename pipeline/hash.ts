import { createHash } from "node:crypto";

/** sha256 (hex) of JSON-able values and bytes, in order. */
export const hashOf = (...parts: readonly unknown[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part instanceof Uint8Array ? part : `${JSON.stringify(part)}\n`);
  return hash.digest("hex");
};
