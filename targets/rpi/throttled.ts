/** `vcgencmd get_throttled`: bits 0-3 tell of now, bits 16-19 of any time since the board was powered (Raspberry Pi documentation, vcgencmd). */
const meanings = ["under-voltage", "clock capped", "throttled", "soft temperature limit"] as const;

export interface Throttled {
  readonly now: readonly string[];
  readonly sinceBoot: readonly string[];
}

/** "0x50000" → what the firmware says; null where the text is no such number. */
export const decodeThrottled = (bits: string | null): Throttled | null => {
  if (bits === null || !/^0x[0-9a-fA-F]+$/.test(bits)) return null;
  const value = Number(bits);
  const at = (offset: number): string[] => meanings.filter((_, bit) => (value >>> (bit + offset)) & 1);
  return { now: at(0), sinceBoot: at(16) };
};

/** What spoilt a measurement: any warning of now in one of the readings, or one that came up since the first. */
export const throttlingDuring = (readings: readonly (string | null)[]): string[] => {
  const decoded = readings.flatMap((bits) => decodeThrottled(bits) ?? []);
  const before = new Set(decoded[0]?.sinceBoot ?? []);
  return [...new Set(decoded.flatMap(({ now, sinceBoot }) => [...now, ...sinceBoot.filter((what) => !before.has(what))]))].map((what) => `${what} while measuring (firmware)`);
};
