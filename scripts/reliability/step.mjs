// What a step of `npm run reliability` has in common with the others: its options, the findings that are on record,
// and the line in which it says what it did.
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readJson } from '../workspace.mjs';
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

/** The rows of a step that finds what is kept on record: what it found before is mended. */
export class Tally extends Rows {
  #known;

  constructor(step) {
    super(step);
    this.#known = readJson(join(import.meta.dirname, 'findings.json'))[step] ?? [];
  }

  /** So many inputs, which took so many seconds. */
  inputs(mechanism, count, seconds) {
    this.add(mechanism, { inputs: count, hours: seconds / 3600 });
  }

  /** Prints the last line. */
  report() {
    for (const { mechanism } of this.#known) this.add(mechanism, { findings: 1, mended: 1 });
    this.tell();
  }
}
