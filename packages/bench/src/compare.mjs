// @ts-check
import { Contestant } from './contestant.mjs';
import { spreadOf } from './statistics.mjs';

/**
 * One thing that is measured, against any number of others that do the same.
 *
 * @typedef {object} Row
 * @property {string} id - what `--rows` selects, by its beginning
 * @property {string} title
 * @property {'spin' | 'sleep' | 'loop' | '-'} waiting - how both sides wait: busy, asleep in the kernel,
 *   awaited on the event loop, or not at all
 * @property {Kind} kind
 * @property {string} unit - what is counted
 * @property {number} [bytes] - of one message
 * @property {number} [count] - operations in a sample, where that is not to be found out
 * @property {import('./programs.mjs').Command} ours
 * @property {readonly Against[]} against
 * @property {string} [contestant] - what ours is called in charts
 *
 * @typedef {object} Against
 * @property {string} name
 * @property {import('./programs.mjs').Command} command
 * @property {number} [target] - at least, for throughput; at most, for time and for milliseconds
 * @property {string} [excused] - why the target is out of reach, as docs/decisions.md shows
 * @property {boolean} [headline] - whether the README tells it
 *
 * How ours and theirs become one figure: theirs / ours in time (more is better), ours / theirs in time
 * (less is better), or ours less theirs, in milliseconds.
 *
 * @typedef {'throughput' | 'time' | 'milliseconds'} Kind
 *
 * @typedef {{ median: number, low: number, high: number }} Spread
 *
 * @typedef {object} Result
 * @property {string} row
 * @property {string} title
 * @property {string} waiting
 * @property {Kind} kind
 * @property {string} unit
 * @property {number | undefined} bytes
 * @property {string} against
 * @property {Spread} ratio - by `kind`, of pairs that were measured one after the other
 * @property {number | undefined} target
 * @property {boolean | undefined} reached
 * @property {string | undefined} excused
 * @property {boolean | undefined} headline
 * @property {string | undefined} contestant
 * @property {Figures} ours
 * @property {Figures} theirs
 *
 * @typedef {object} Figures
 * @property {number} count - operations in a sample
 * @property {number} nanoseconds - of one operation, the median of the samples
 * @property {number[]} samples - nanoseconds of one operation, in the order in which they were taken
 * @property {number | undefined} [p99] - of a round trip, in nanoseconds, the median of the samples
 * @property {number | undefined} [p999]
 */

/** @param {import('./contestant.mjs').Outcome} outcome @param {number} count */
const costOf = ({ p50, ns }, count) => p50 ?? ns / count;

/**
 * The messages' bytes were written by one rule and added up by another process: it must be the same sum
 * for everyone.
 *
 * @param {import('./contestant.mjs').Outcome} outcome
 * @param {number} count
 * @param {number} bytes
 */
function verify({ sum }, count, bytes) {
  if (sum === undefined || bytes === 0) return;
  const rest = count % 256;
  const expected =
    (Math.floor(count / 256) * 32_640 + (rest * (rest - 1)) / 2) * Math.ceil(bytes / 64);
  if (sum !== expected) throw new Error(`the bytes add up to ${sum}, not to ${expected}`);
}

/**
 * @param {Kind} kind
 * @param {number} ours - nanoseconds
 * @param {number} theirs
 */
function figureOf(kind, ours, theirs) {
  if (kind === 'throughput') return theirs / ours;
  return kind === 'time' ? ours / theirs : (ours - theirs) / 1e6;
}

/**
 * Measures in turns: ours, the others, ours, the others, …, so that whatever else the machine does meets
 * all of them, and a ratio is taken of neighbours only.
 *
 * @param {Row} row
 * @param {{ rounds: number, milliseconds: number }} options
 * @returns {Promise<Result[]>}
 */
export async function compare(row, { rounds, milliseconds }) {
  const { id, title, waiting, kind, unit, bytes, against } = row;
  const contestants = [row.ours, ...against.map(({ command }) => command)].map(
    (command) => new Contestant(command),
  );
  /** @type {import('./contestant.mjs').Outcome[][]} */
  const outcomes = contestants.map(() => []);
  try {
    for (const contestant of contestants) {
      if (row.count === undefined) await contestant.calibrate(milliseconds);
      else contestant.count = row.count;
    }
    for (let round = 0; round < rounds; round++) {
      for (const [index, contestant] of contestants.entries()) {
        const outcome = await contestant.sample();
        verify(outcome, contestant.count, bytes ?? 0);
        outcomes[index]?.push(outcome);
      }
    }
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
  }
  const figures = contestants.map(({ count }, index) => figuresOf(outcomes[index] ?? [], count));
  const ours = /** @type {Figures} */ (figures[0]);
  return against.map(({ name, target, excused, headline }, index) => {
    const theirs = /** @type {Figures} */ (figures[index + 1]);
    const ratio = spreadOf(
      ours.samples.map((sample, round) => figureOf(kind, sample, Number(theirs.samples[round]))),
    );
    const reached =
      target === undefined
        ? undefined
        : kind === 'throughput'
          ? ratio.median >= target
          : ratio.median <= target;
    return {
      row: id,
      title,
      waiting,
      kind,
      unit,
      bytes,
      against: name,
      ratio,
      target,
      reached,
      excused,
      headline,
      contestant: row.contestant,
      ours,
      theirs,
    };
  });
}

/**
 * @param {readonly import('./contestant.mjs').Outcome[]} outcomes
 * @param {number} count
 * @returns {Figures}
 */
function figuresOf(outcomes, count) {
  const samples = outcomes.map((outcome) => costOf(outcome, count));
  /** @param {'p99' | 'p999'} key */
  const medianOf = (key) => {
    const values = outcomes.flatMap((outcome) => outcome[key] ?? []);
    return values.length === 0 ? undefined : spreadOf(values).median;
  };
  return {
    count,
    nanoseconds: spreadOf(samples).median,
    samples,
    p99: medianOf('p99'),
    p999: medianOf('p999'),
  };
}
