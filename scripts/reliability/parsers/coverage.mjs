// What an input reaches that none before it has: V8's precise block coverage, without instrumentation.
import { Session } from 'node:inspector';

/**
 * Coverage of the scripts whose URL contains a word, by the byte of their text. V8 tells of a block only where it ran
 * another number of times than what is around it, so that the same place is in other ranges from one time to the next.
 */
export class Coverage {
  #session = new Session();
  /** Of each function, by where it is: which of its bytes have run. */
  #seen = new Map();
  #word;
  #size = 0;

  constructor(word) {
    this.#word = word;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The number of bytes that have run so far. */
  get size() {
    return this.#size;
  }

  /**
   * Whether anything that ran since the last call is new.
   *
   * @param keep - whether it is known from now on
   */
  advance(keep) {
    let isNew = false;
    for (const { url, scriptId, functions } of this.#post('Profiler.takePreciseCoverage').result) {
      if (!url.includes(this.#word)) continue;
      for (const { ranges } of functions) {
        if (ranges[0].count > 0 && this.#enter(scriptId, ranges, keep)) isNew = true;
      }
    }
    return isNew;
  }

  /** Whether any byte of a function is new. */
  #enter(scriptId, [whole, ...blocks], keep) {
    const { startOffset: begin, endOffset: end } = whole;
    const key = `${scriptId}:${begin}:${end}`;
    const seen = this.#seen.get(key) ?? new Uint8Array(end - begin);
    this.#seen.set(key, seen);
    const ran = new Uint8Array(end - begin).fill(1);
    // What is within comes behind what it is in.
    for (const { startOffset, endOffset, count } of blocks) {
      ran.fill(count > 0 ? 1 : 0, startOffset - begin, endOffset - begin);
    }
    let fresh = 0;
    for (let i = 0; i < ran.length; i++) {
      if (ran[i] === 0 || seen[i] === 1) continue;
      fresh += 1;
      if (!keep) return true;
      seen[i] = 1;
    }
    this.#size += fresh;
    return fresh > 0;
  }

  #post(method, parameters) {
    let answer;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw Object.assign(new Error(method), { cause: error });
      answer = result;
    });
    return answer;
  }
}
