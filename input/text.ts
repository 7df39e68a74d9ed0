import { isUtf8 } from "node:buffer";

/**
 * A text file's text: UTF-8, UTF-16 where a byte order mark says so (PowerShell's `>`), or what an XML head declares. Bytes that are
 * none of these become U+FFFD, which no class name may hold.
 */
export function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const declared = /^<\?xml[^>]*?encoding=["']([\w.:-]+)["']/.exec(bytes.subarray(0, 200).toString("latin1"))?.[1];
  return decoderOf(declared).decode(bytes);
}

function decoderOf(label: string | undefined): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(label ?? "utf-8");
  } catch {
    return new TextDecoder("utf-8"); // an encoding that nobody knows: what is not UTF-8 is seen as such
  }
}
