// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Before a program is measured it has worked for so many milliseconds; what is compiled as it runs needs more. */
const WARM_UP = 50;
const WARM_UP_OF_NODE = 800;

/** The longest that a sample may take, in milliseconds. */
const PATIENCE = 30_000;

/**
 * What a program told of one sample: nanoseconds for all of its operations; of round trips quantiles,
 * too, and of messages the sum of their bytes.
 *
 * @typedef {{ ns: number, sum?: number, p50?: number, p99?: number, p999?: number }} Outcome
 */

/** A program that runs for as long as it is compared, and takes a sample whenever it is told a count. */
export class Contestant {
  /** Operations in one sample. */
  count = 0;
  #child;
  #lines;
  #warmUp;

  /** @param {import('./programs.mjs').Command} command */
  constructor([file = '', ...args]) {
    const node = file === process.execPath || args.includes(process.execPath);
    this.#warmUp = (node ? WARM_UP_OF_NODE : WARM_UP) * 1e6;
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stdin.on('error', () => {});
  }

  /**
   * Finds how many operations take so long, which also warms up.
   *
   * @param {number} milliseconds
   */
  async calibrate(milliseconds) {
    const wanted = milliseconds * 1e6;
    let count = 16;
    let spent = 0;
    for (let rounds = 0; rounds < 100 && spent < this.#warmUp; rounds++) {
      const { ns } = await this.sample(count);
      spent += ns;
      count = Math.ceil(count * Math.min(8, Math.max(0.5, wanted / ns)));
    }
    this.count = count;
  }

  /**
   * @param {number} count
   * @returns {Promise<Outcome>}
   */
  async sample(count = this.count) {
    this.#child.stdin.write(`${count}\n`);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done === true) throw new Error(`${this.#child.spawnargs.join(' ')}: ended early`);
    return JSON.parse(value);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await once(this.#child, 'exit');
    clearTimeout(timer);
  }
}
