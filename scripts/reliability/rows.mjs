// The rows of a step that counts what it did, a mechanism each, and the line in which it says so.
import { existsSync, readFileSync } from 'node:fs';

/** In the order in which tables have them. */
export const MECHANISMS = [
  'core',
  'pipe',
  'fifo',
  'mq',
  'sem',
  'shm',
  'signal',
  'socket',
  'popen',
  'nats',
  'octoipc',
  // What is of none of them.
  'all',
];

/** The package of a scene, by the name that the scene has. */
export function mechanismOf(name) {
  const [word] = name.split(' ');
  if (MECHANISMS.includes(word)) return word;
  return ['ring', 'broadcast', 'value'].includes(word) ? 'shm' : 'core';
}

/** What a program has left in a file; undefined where it ended before it had written it whole. */
export function resultsIn(file) {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** What a step did, of each mechanism. */
export class Rows {
  #step;
  #rows = new Map();
  #remarks = [];

  constructor(step) {
    this.#step = step;
  }

  /** Adds to the counts of a mechanism: `{ killPoints, faults, inputs, hours }`. */
  add(mechanism, counts) {
    const row = this.#row(mechanism);
    for (const [what, count] of Object.entries(counts)) row[what] += count;
  }

  /** Something that is wrong; `known` if it is written down as open already, and fails nothing. */
  found(mechanism, finding, known = false) {
    const row = this.#row(mechanism);
    row.open.push(finding);
    if (!known) process.exitCode = 1;
  }

  /** How a program has ended that this step runs: where it failed, and nothing that it told is wrong, that is a finding. */
  ended(program, status) {
    const told = [...this.#rows.values()].some(({ open }) => open.length > 0);
    if (status === 0 || told) return;
    this.found('all', `${program} ended with status ${status}, and does not say why`);
  }

  /** Something to be read beside the counts. */
  remark(text) {
    this.#remarks.push(text);
  }

  /** Prints the last line. */
  tell() {
    const rows = [...this.#rows.values()].map((row) => ({
      ...row,
      hours: Number(row.hours.toFixed(3)),
    }));
    const remarks = this.#remarks.length > 0 ? { remarks: this.#remarks } : {};
    console.log(JSON.stringify({ step: this.#step, rows, ...remarks }));
  }

  #row(mechanism) {
    const made = {
      mechanism,
      killPoints: 0,
      faults: 0,
      inputs: 0,
      hours: 0,
      open: [],
    };
    const row = this.#rows.get(mechanism) ?? made;
    this.#rows.set(mechanism, row);
    return row;
  }
}
