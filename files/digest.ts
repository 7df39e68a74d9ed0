import { createHash } from "node:crypto";
import { plainFile } from "../input/read.ts";

/** sha256 of a plain file's bytes, hexadecimal. Throws UnreadableFile. */
export const sha256File = (path: string): Promise<string> =>
  plainFile(path, async (file) => {
    const hash = createHash("sha256");
    for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20, autoClose: false })) hash.update(chunk as Uint8Array);
    return hash.digest("hex");
  });

/** sha256 of bytes or UTF-8 text, hexadecimal. */
export const sha256Of = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
