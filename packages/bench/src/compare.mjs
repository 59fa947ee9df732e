// @ts-check
import { Contestant } from './contestant.mjs';
import { missing, sweep } from './peers.mjs';
import { quantile, spreadOf } from './statistics.mjs';

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
 * @property {number} [interval] - nanoseconds between the intended beginnings of round trips: each is timed from
 *   when it should have begun, so that who was late is told of all that were kept waiting
 * @property {number} [producers] - processes that send, or that contend
 * @property {number} [milliseconds] - of a sample, where more are needed than elsewhere
 * @property {number} [rounds] - at most, where a round is dear
 * @property {import('./programs.mjs').Command} ours
 * @property {readonly Against[]} against
 * @property {string} [contestant] - what ours is called in charts
 *
 * @typedef {object} Against
 * @property {string} name
 * @property {import('./programs.mjs').Command} command
 * @property {number} [target] - at least, for throughput; at most, for time and for milliseconds
 * @property {string} [peer] - the package of npm that it takes; see peers.mjs
 * @property {string} [lacking] - why it cannot be measured here
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
 * @property {string | undefined} absent - why there are no figures of the other; then there is no ratio
 * @property {Spread | undefined} ratio - by `kind`, of pairs that were measured one after the other
 * @property {number | undefined} target
 * @property {boolean | undefined} reached
 * @property {number[]} [missed] - the ratios of earlier measurements that missed the target, in their order
 * @property {number | undefined} interval
 * @property {number | undefined} producers
 * @property {boolean | undefined} headline
 * @property {string | undefined} contestant
 * @property {Figures} ours
 * @property {Figures | undefined} theirs
 *
 * @typedef {object} Figures
 * @property {number} count - operations in a sample
 * @property {number} nanoseconds - of one operation, the median of the samples
 * @property {number[]} samples - nanoseconds of one operation, in the order in which they were taken
 * @property {number | undefined} [p99] - of a round trip, in nanoseconds: of all trips that followed a schedule,
 *   else the median of the samples
 * @property {number | undefined} [p999]
 * @property {number | undefined} [resident] - the most memory that was resident in one of its processes, in bytes
 * @property {number | undefined} [fairness] - of several producers: 1 where each was served alike, 1 / n where one
 *   alone was; Jain's index, the median of the samples
 */

/** @param {import('./contestant.mjs').Outcome} outcome @param {number} count */
const costOf = ({ p50, ns, count: counted }, count) => p50 ?? ns / (counted ?? count);

/**
 * The messages' bytes were written by one rule and added up by another process: it must be the same sum
 * for everyone. The rule: message n has n modulo 256 in its bytes 0, 64, 128, …; those, at these places of
 * each message and whatever its size, are added up.
 *
 * @param {import('./contestant.mjs').Outcome} outcome
 * @param {number} count
 * @param {number} bytes
 * @param {number} producers
 */
function verify({ sum, count: counted }, count, bytes, producers) {
  if (sum === undefined || bytes === 0) return;
  const each = (counted ?? count) / producers;
  const rest = each % 256;
  const expected =
    (Math.floor(each / 256) * 32_640 + (rest * (rest - 1)) / 2) * Math.ceil(bytes / 64) * producers;
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
 * One of those that are compared, and what came of it: outcomes, or why there are none.
 *
 * @typedef {object} Entry
 * @property {Contestant | undefined} contestant
 * @property {import('./contestant.mjs').Outcome[]} outcomes
 * @property {number | undefined} resident
 * @property {string | undefined} absent
 */

/**
 * @param {import('./programs.mjs').Command} command
 * @param {string | undefined} peer
 * @param {number | undefined} interval
 * @param {string} [lacking]
 * @returns {Entry}
 */
function entryOf(command, peer, interval, lacking) {
  const absent = lacking ?? (peer === undefined ? undefined : missing(peer));
  /** @type {Entry} */
  const entry = { contestant: undefined, outcomes: [], resident: undefined, absent };
  if (absent !== undefined) return entry;
  try {
    entry.contestant = new Contestant(command, interval);
  } catch (error) {
    entry.absent = /** @type {Error} */ (error).message;
  }
  return entry;
}

/**
 * Who fails is out of the row; the others go on.
 *
 * @param {Entry} entry
 * @param {() => unknown} step
 */
async function attempt(entry, step) {
  if (entry.absent !== undefined) return;
  try {
    await step();
  } catch (error) {
    entry.absent = /** @type {Error} */ (error).message;
  }
}

/**
 * Measures in turns: ours, the others, ours, the others, …, so that whatever else the machine does meets
 * all of them, and a ratio is taken of neighbours only.
 *
 * @param {Row} row
 * @param {{ rounds: number, milliseconds: number }} options
 * @returns {Promise<Result[]>}
 */
export async function compare(row, options) {
  const { against, interval, producers = 1 } = row;
  const rounds = Math.min(options.rounds, row.rounds ?? options.rounds);
  const milliseconds = options.milliseconds * ((row.milliseconds ?? 30) / 30);
  const entries = [
    entryOf(row.ours, undefined, interval),
    ...against.map(({ command, peer, lacking }) => entryOf(command, peer, interval, lacking)),
  ];
  try {
    for (const entry of entries) {
      const { contestant } = entry;
      await attempt(entry, async () => {
        if (row.count === undefined) await contestant?.calibrate(milliseconds, producers);
        else if (contestant !== undefined) contestant.count = row.count;
      });
    }
    for (let round = 0; round < rounds; round++) {
      for (const entry of entries) {
        const { contestant } = entry;
        await attempt(entry, async () => {
          if (contestant === undefined) return;
          const outcome = await contestant.sample();
          verify(outcome, contestant.count, row.bytes ?? 0, producers);
          entry.outcomes.push(outcome);
        });
      }
      if (entries[0]?.absent !== undefined) throw new Error(entries[0].absent);
    }
    for (const entry of entries) entry.resident = entry.contestant?.resident();
  } finally {
    for (const { contestant } of entries) {
      await contestant?.stop();
      if (contestant?.pid !== undefined) sweep(contestant.pid);
    }
  }
  const figures = entries.map(figuresOf);
  const ours = /** @type {Figures} */ (figures[0]);
  return against.map((other, index) =>
    resultOf(row, other, ours, figures[index + 1], entries[index + 1]?.absent),
  );
}

/**
 * @param {Row} row
 * @param {Against} other
 * @param {Figures} ours
 * @param {Figures | undefined} theirs
 * @param {string | undefined} absent
 * @returns {Result}
 */
function resultOf(row, { name, target, headline }, ours, theirs, absent) {
  const { id, title, waiting, kind, unit, bytes, interval, producers, contestant } = row;
  const ratio =
    theirs === undefined || absent !== undefined
      ? undefined
      : spreadOf(
          ours.samples.map((sample, round) =>
            figureOf(kind, sample, Number(theirs.samples[round])),
          ),
        );
  const reached =
    target === undefined || ratio === undefined
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
    absent,
    ratio,
    target,
    reached,
    interval,
    producers,
    headline,
    contestant,
    ours,
    theirs: ratio === undefined ? undefined : theirs,
  };
}

/**
 * @param {Entry} entry
 * @returns {Figures | undefined}
 */
function figuresOf({ contestant, outcomes, resident, absent }) {
  if (contestant === undefined || absent !== undefined || outcomes.length === 0) return undefined;
  const { count } = contestant;
  const samples = outcomes.map((outcome) => costOf(outcome, count));
  const trips = outcomes.flatMap(({ times = [] }) => times);
  /** @param {'p99' | 'p999' | 'fairness'} key @param {number} [q] */
  const figure = (key, q) => {
    if (q !== undefined && trips.length > 0) return quantile(trips, q);
    const values = outcomes.flatMap((outcome) => outcome[key] ?? []);
    return values.length === 0 ? undefined : spreadOf(values).median;
  };
  return {
    count,
    nanoseconds: trips.length > 0 ? quantile(trips, 0.5) : spreadOf(samples).median,
    samples,
    p99: figure('p99', 0.99),
    p999: figure('p999', 0.999),
    resident,
    fairness: figure('fairness'),
  };
}
