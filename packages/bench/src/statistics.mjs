// @ts-check

/**
 * @param {readonly number[]} values
 * @param {number} q - from 0 to 1
 */
export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Number(sorted[Math.floor(at)]);
  return low + (Number(sorted[Math.ceil(at)]) - low) * (at % 1);
}

/**
 * The median and the quartiles, which is what single disturbances move least.
 *
 * @param {readonly number[]} values
 */
export function spreadOf(values) {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}
