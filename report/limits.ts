import { plain, points } from "./figures.ts";

interface Unit {
  readonly name: string;
  /** The figure as people read it, with so many decimals more than usual. */
  readonly text: (value: number, moreDecimals: number) => string;
}

const pointsUnit: Unit = { name: " points", text: (fraction, more) => points(fraction, 1 + more) };
const milliseconds: Unit = { name: " ms", text: (value, more) => plain(value, 4 + more) };
const bare: Unit = { name: "", text: (value, more) => plain(value, 4 + more) };

const isTime = /\.\w+Ms$/;

/** mAP, AP of a class, or a drop of them: a fraction in configs and JSON. */
export const isAccuracy = (metric: string): boolean => /^(map|map50)(Drop)?$|^ap\./.test(metric) && !isTime.test(metric);

/** Names of gates and of requirements' metrics. */
const unitOf = (metric: string): Unit => (isAccuracy(metric) ? pointsUnit : isTime.test(metric) ? milliseconds : bare);

const mostMoreDecimals = 8;

/**
 * A limit and what was measured as people read them: mAP and AP in points of 100 (the config and run.json hold fractions), times in milliseconds; with as many decimals as tell
 * the two apart, so that a failed "2.0 points, limit 2.0 points" is never shown.
 */
export const limitTexts = (metric: string, limit: number, value: number | null): { readonly limit: string; readonly value: string } => {
  const { name, text } = unitOf(metric);
  let more = 0;
  while (value !== null && value !== limit && more < mostMoreDecimals && text(value, more) === text(limit, more)) more++;
  return { limit: text(limit, more) + name, value: value === null ? "not measured" : text(value, more) + name };
};
