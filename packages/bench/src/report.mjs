// @ts-check

const COLUMNS = /** @type {const} */ ([
  ['what', 48],
  ['waits', 6],
  ['against', 26],
  ['ratio', 20],
  ['target', 10],
  ['ours', 10],
  ['theirs', 10],
]);

export function heading() {
  return COLUMNS.map(([name, width]) => name.padEnd(width)).join(' ');
}

/** @param {import('./compare.mjs').Result} result */
export function lineOf(result) {
  const { title, waiting, against, ratio, target, reached, kind, ours, theirs } = result;
  const sign = kind === 'throughput' ? '≥' : '≤';
  const unit = kind === 'milliseconds' ? ' ms' : '';
  const verdict = reached === undefined ? '' : reached ? '✓' : '✗';
  const cells = [
    title,
    waiting,
    against,
    `${round(ratio.median)}${unit} (${round(ratio.low)}–${round(ratio.high)})`,
    target === undefined ? '' : `${sign} ${target}${unit} ${verdict}`,
    timeOf(ours.nanoseconds),
    timeOf(theirs.nanoseconds),
  ];
  return COLUMNS.map(([, width], index) => (cells[index] ?? '').padEnd(width))
    .join(' ')
    .trimEnd();
}

/** @param {number} value */
function round(value) {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}

/** @param {number} ns */
export function timeOf(ns) {
  if (ns < 1000) return `${ns.toPrecision(3)} ns`;
  if (ns < 1e6) return `${(ns / 1000).toPrecision(3)} µs`;
  return `${(ns / 1e6).toPrecision(3)} ms`;
}
