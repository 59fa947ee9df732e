import { InvalidArgumentError } from 'commander';

/** Node's timers count in 32 bits: 24 days. */
const LONGEST = 0x7fff_ffff;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/**
 * A time on the command line: milliseconds, as everywhere in these packages, or with a unit.
 *
 * @param text - `500`, `500ms`, `0.5s`, `2m`
 * @param least - the shortest that makes sense, in milliseconds
 * @returns milliseconds
 * @throws {InvalidArgumentError} when it is no time, shorter, or over 24 days
 */
export function duration(text: string, least = 0): number {
  const [, number, unit = 'ms'] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m)?$/.exec(text) ?? [];
  const milliseconds = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (Number.isNaN(milliseconds)) {
    throw new InvalidArgumentError('A time is a number of milliseconds, or like 500ms, 1s, 2m.');
  }
  if (milliseconds > LONGEST) throw new InvalidArgumentError('It is at most 24 days.');
  if (milliseconds >= least) return milliseconds;
  throw new InvalidArgumentError(
    `It is at least ${least}; a number without a unit means milliseconds.`,
  );
}
