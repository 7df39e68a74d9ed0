/**
 * A C++ (or C) string literal of UTF-8 bytes, the same for every compiler and source character set: bytes that are not ASCII are
 * octal escapes of three digits, which no following digit can lengthen; "?" is escaped, so that there are no trigraphs.
 */
export const cppString = (text: string): string => {
  let literal = "";
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte > 0x7e) literal += `\\${byte.toString(8).padStart(3, "0")}`;
    else literal += /["\\?]/.test(character) ? `\\${character}` : character;
  }
  return `"${literal}"`;
};
