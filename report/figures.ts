const minus = "\u2212";

/** Decimal places that leave about three significant digits. */
const places = (value: number): number => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

/** "12,345": thousands separated, independent of the machine's locale. */
export const grouped = (value: number): string => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");

/** A count in the words of the papers: 3.01 M parameters, 4.37 G MACs. */
export function count(value: number): string {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const)
    if (value >= size) return `${(value / size).toFixed(places(value / size))} ${unit}`;
  return String(value);
}

/** A file size in decimal units. */
export function bytes(value: number): string {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const)
    if (value >= size) return `${(value / size).toFixed(places(value / size))} ${unit}`;
  return `${value} B`;
}

/** Milliseconds without the unit. */
export const ms = (value: number): string => value.toFixed(places(value));

/** mAP and AP as people read them everywhere, points of 100: 0.4172 → "41.7". JSON and configs hold the fraction. */
export const points = (fraction: number, decimals = 1): string => {
  const text = (fraction * 100).toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : signedMinus(text);
};

/** A difference of fractions as signed points: −0.021 → "−2.1", 0.004 → "+0.4". */
export function signedPoints(difference: number): string {
  const text = (difference * 100).toFixed(1);
  return Number(text) === 0 ? "±0.0" : Number(text) > 0 ? `+${text}` : signedMinus(text);
}

/** A ratio of at least 1: "14×", "2.3×". */
export const times = (ratio: number): string => `${ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(1)}×`;

export const percent = (fraction: number): string => `${(fraction * 100).toFixed(fraction >= 0.0995 || fraction === 0 ? 0 : 1)} %`;

/** A figure whose unit is not known: at most four significant digits. */
export const plain = (value: number, digits = 4): string => signedMinus(String(Number(value.toPrecision(digits))));

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 layer", "3 layers". */
export const plural = (amount: number, noun: string): string => `${grouped(amount)} ${noun}${amount === 1 ? "" : "s"}`;

const signedMinus = (text: string): string => text.replace("-", minus);
