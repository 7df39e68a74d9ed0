/** FNV-1a, 64 bit, as 16 hex digits (prime 2^40 + 0x1b3; in two 32-bit halves). */
export const fnv1a64 = (bytes: Uint8Array): string => {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  for (let i = 0; i < bytes.length; i++) {
    low = (low ^ bytes[i]!) >>> 0;
    const product = low * 0x1b3; // below 2^41: exact
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
};

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
