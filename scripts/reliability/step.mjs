// What a step of `npm run reliability` has in common with the others: its options, and the line in which it says what
// it did.
import { parseArgs } from 'node:util';

import { Rows } from './rows.mjs';

/**
 * Reads `--minutes M`, `--quick` and `--seed N`.
 *
 * @param quickSeconds - how long the short form takes
 */
export function stepOptions(quickSeconds, more = {}) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      quick: { type: 'boolean', default: false },
      seed: { type: 'string' },
      ...more,
    },
  });
  const minutes = Number(values.minutes ?? 10);
  if (!(minutes > 0)) throw new RangeError(`--minutes ${values.minutes}: a number over 0`);
  return {
    ...values,
    seconds: values.quick && values.minutes === undefined ? quickSeconds : minutes * 60,
    seed: Number(values.seed ?? Date.now() % 2 ** 31),
  };
}

/** The rows of a step that tries inputs. */
export class Tally extends Rows {
  /** So many inputs, which took so many seconds. */
  inputs(mechanism, count, seconds) {
    this.add(mechanism, { inputs: count, hours: seconds / 3600 });
  }
}
