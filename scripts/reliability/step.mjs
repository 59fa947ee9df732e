// What a step of `npm run reliability` has in common with the others: its options, the findings that are on record,
// and the line in which it says what it did.
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readJson } from '../workspace.mjs';

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

/** The rows of a step, a mechanism each. */
export class Tally {
  #step;
  #rows = new Map();
  #start = performance.now();

  constructor(step) {
    this.#step = step;
  }

  row(mechanism) {
    let row = this.#rows.get(mechanism);
    if (row === undefined) {
      row = {
        mechanism,
        killPoints: 0,
        faults: 0,
        inputs: 0,
        hours: 0,
        findings: 0,
        mended: 0,
        open: [],
      };
      this.#rows.set(mechanism, row);
    }
    return row;
  }

  inputs(mechanism, count) {
    this.row(mechanism).inputs += count;
  }

  /** Something was found now: it is open. */
  found(mechanism, text) {
    const row = this.row(mechanism);
    row.findings += 1;
    row.open.push(text);
  }

  /** Prints the last line, and sets the exit status. */
  report() {
    const hours = (performance.now() - this.#start) / 3_600_000;
    const known = readJson(join(import.meta.dirname, 'findings.json'))[this.#step] ?? [];
    for (const { mechanism } of known) {
      const row = this.row(mechanism);
      row.findings += 1;
      row.mended += 1;
    }
    const rows = [...this.#rows.values()];
    for (const row of rows) row.hours = Math.round(hours * 1000) / 1000;
    if (rows.some(({ open }) => open.length > 0)) process.exitCode = 1;
    console.log(JSON.stringify({ step: this.#step, rows }));
  }
}
