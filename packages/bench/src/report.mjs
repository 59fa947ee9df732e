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
  const { title, waiting, against, absent, ratio, target, reached, kind, ours, theirs } = result;
  const sign = kind === 'throughput' ? '≥' : '≤';
  const unit = kind === 'milliseconds' ? ' ms' : '';
  const verdict = reached === undefined ? '' : reached ? '✓' : '✗';
  const cells = [
    title,
    waiting,
    against,
    ratio === undefined
      ? `not compared: ${absent}`
      : `${round(ratio.median)}${unit} (${round(ratio.low)}–${round(ratio.high)})`,
    target === undefined || ratio === undefined ? '' : `${sign} ${target}${unit} ${verdict}`,
    ratio === undefined ? '' : timeOf(ours.nanoseconds),
    theirs === undefined ? '' : timeOf(theirs.nanoseconds),
    ...more(ours, theirs),
  ];
  return (
    COLUMNS.map(([, width], index) => (cells[index] ?? '').padEnd(width)).join(' ') +
    cells.slice(COLUMNS.length).join(', ')
  ).trimEnd();
}

/**
 * What only some rows have: of schedules the quantiles, of several producers the fairness.
 *
 * @param {import('./compare.mjs').Figures} ours
 * @param {import('./compare.mjs').Figures | undefined} theirs
 */
function more(ours, theirs) {
  const both = (
    /** @type {string} */ name,
    /** @type {(figures: any) => string | undefined} */ of,
  ) =>
    of(ours) === undefined
      ? []
      : [`${name} ${of(ours)} / ${theirs === undefined ? '–' : of(theirs)}`];
  const time = (/** @type {number | undefined} */ ns) =>
    ns === undefined ? undefined : timeOf(ns);
  return [
    ...both('p99', ({ p99 }) => time(p99)),
    ...both('p99.9', ({ p999 }) => time(p999)),
    ...both('fairness', ({ fairness }) => fairness?.toFixed(3)),
  ];
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
