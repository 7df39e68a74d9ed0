/** Largest of a list of any length, -Infinity of none: `Math.max(...list)` ends with a RangeError from about 120,000 values on. NaN where one is NaN. */
export const largest = (values: Iterable<number>): number => {
  let found = -Infinity;
  for (const value of values) found = Math.max(found, value);
  return found;
};

/** As `largest`: the smallest, Infinity of none. */
export const smallest = (values: Iterable<number>): number => {
  let found = Infinity;
  for (const value of values) found = Math.min(found, value);
  return found;
};
