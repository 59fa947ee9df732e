// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { resolved } from './programs.mjs';

/** Before a program is measured it has worked for so many milliseconds; what is compiled as it runs needs more. */
const WARM_UP = 50;
const WARM_UP_OF_NODE = 800;

/** The longest that a sample may take, in milliseconds; the first has to wait for up to 65 processes to start. */
const PATIENCE = 30_000;
const PATIENCE_AT_FIRST = 90_000;

/**
 * What a program told of one sample: nanoseconds for all of its operations, and how many those were where
 * it was not the count; of round trips quantiles, too, and all times of those that followed a schedule; of
 * messages the sum of their bytes; of several producers how fairly they were served.
 *
 * @typedef {{ ns: number, count?: number, sum?: number, p50?: number, p99?: number, p999?: number, times?: number[], fairness?: number }} Outcome
 */

/** Those that run, by the ids of their groups. @type {Set<number>} */
const running = new Set();
process.on('exit', () => {
  for (const group of running) killGroup(group);
});

/** Who waits in a system call sees no channel that is closed: it is killed with all that it started. */
function killGroup(/** @type {number} */ group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** Of what a program says before it fails, so many characters are kept. */
const KEPT = 2000;

/**
 * Why a program ended: its last words that tell of an error, else its last words (which of a C program are those of
 * perror(3)), and how it ended.
 *
 * @param {string} said - on its standard error
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
function reasonOf(said, code, signal) {
  const lines = said.split('\n').map((line) => line.trim());
  const telling =
    lines.findLast((line) => /\bError\b|error:|terminate called|what\(\)|FATAL/.test(line)) ??
    lines.findLast((line) => line !== '');
  const end = signal === null ? `status ${code}` : `killed by ${signal}`;
  return telling === undefined ? `it ended early (${end})` : `it ended early (${end}): ${telling}`;
}

/** A program that runs for as long as it is compared, and takes a sample whenever it is told a count. */
export class Contestant {
  /** Operations in one sample. */
  count = 0;
  #child;
  #lines;
  #warmUp;
  #interval;
  #patience = PATIENCE_AT_FIRST;
  #said = '';

  /**
   * @param {import('./programs.mjs').Command} command
   * @param {number} interval - nanoseconds between the intended beginnings of round trips; 0: no schedule
   */
  constructor(command, interval = 0) {
    const [file = '', ...args] = resolved(command);
    const node = file === process.execPath || args.includes(process.execPath);
    this.#warmUp = (node ? WARM_UP_OF_NODE : WARM_UP) * 1e6;
    this.#interval = interval;
    this.#child = spawn(file, args, { stdio: 'pipe', detached: true });
    this.#child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      this.#said = (this.#said + text).slice(-KEPT);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', () => {});
    if (this.#child.pid !== undefined) running.add(this.#child.pid);
  }

  /** @returns {number | undefined} */
  get pid() {
    return this.#child.pid;
  }

  /**
   * Finds how many operations take so long, which also warms up.
   *
   * @param {number} milliseconds
   * @param {number} least - operations of a sample
   */
  async calibrate(milliseconds, least = 1) {
    const wanted = milliseconds * 1e6;
    let count = Math.max(16, least);
    let spent = 0;
    for (let rounds = 0; rounds < 100 && spent < this.#warmUp; rounds++) {
      const { ns } = await this.sample(count, 0);
      spent += ns;
      count = Math.max(least, Math.ceil(count * Math.min(8, Math.max(0.5, wanted / ns))));
    }
    this.count = this.#interval > 0 ? Math.ceil(wanted / this.#interval) : count;
  }

  /**
   * @param {number} count
   * @param {number} interval
   * @returns {Promise<Outcome>}
   */
  async sample(count = this.count, interval = this.#interval) {
    this.#child.stdin.write(`${count} ${interval}\n`);
    const patience = this.#patience;
    this.#patience = PATIENCE;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#kill();
    }, patience);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (late) throw new Error(`a sample takes more than ${patience / 1000} s`);
    if (done === true) throw new Error(await this.#reason());
    return JSON.parse(value);
  }

  async #reason() {
    const { pid, spawnfile, stderr } = this.#child;
    if (pid === undefined) return `${spawnfile} does not start`;
    await this.#exit();
    // What else it had started may still hold its standard error.
    this.#kill();
    if (!stderr.closed) await once(stderr, 'close');
    return reasonOf(this.#said, this.#child.exitCode, this.#child.signalCode);
  }

  /** It has a moment for that, and is killed then. */
  async #exit() {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const timer = setTimeout(() => this.#kill(), 2000);
    await once(this.#child, 'exit');
    clearTimeout(timer);
  }

  /**
   * The most memory that was resident in this program or one that it started and that is there, in bytes.
   *
   * @returns {number | undefined}
   */
  resident() {
    const { pid } = this.#child;
    return pid === undefined ? undefined : residentOf(pid);
  }

  async stop() {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#child.stdin.end();
    await this.#exit();
    this.#kill();
    running.delete(pid);
  }

  #kill() {
    if (this.#child.pid !== undefined) killGroup(this.#child.pid);
  }
}

/** @param {number} pid @returns {number | undefined} */
function residentOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    const own = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
    const theirs = children
      .split(' ')
      .filter(Boolean)
      .map((child) => residentOf(Number(child)) ?? 0);
    return Math.max(own, ...theirs);
  } catch {
    return undefined;
  }
}
