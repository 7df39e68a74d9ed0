import { unsupportedOnnx } from "./errors.ts";

/** Bytes of an ONNX string as text. Bytes that are no UTF-8 would not survive: refused. `owner` and `label` are named in the error. */
export const textOf = (bytes: Uint8Array, owner: string, label: string): string => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(buffer)) throw unsupportedOnnx(label, `bytes that are no UTF-8 text in ${owner}`);
  return text;
};
