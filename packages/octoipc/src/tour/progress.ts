import { color } from '../command/colors.js';
import type { Payload } from './payload.js';
import { amount, speed, time } from './report.js';
import type { Watcher } from './tour.js';

const ERASE = '\r\u001b[2K';
const BAR_WIDTH = 24;

/** How often the line is rewritten at most, in milliseconds. */
const REFRESH = 50;

/** A watcher that shows a line of progress. */
export interface Progress extends Watcher, Disposable {
  /** Takes the line away. */
  clear(): void;
}

/**
 * Shows how the tour goes: on a terminal one line that is rewritten in place, elsewhere a plain line
 * for each row that has ended.
 *
 * @param stream - where to: stderr, so that stdout has results only
 * @param options - what travels; `quiet` leaves the plain lines away
 * @returns the watcher
 */
export function progressOn(
  stream: NodeJS.WriteStream,
  { payload, quiet }: { readonly payload: Payload; readonly quiet: boolean },
): Progress {
  const live = stream.isTTY && process.env['TERM'] !== 'dumb';
  let title = '';
  let drawn = -Infinity;
  const draw = (done: number, milliseconds: number): void => {
    const ratio = payload.size === 0 ? 0 : Math.min(1, done / payload.size);
    const filled = Math.round(ratio * BAR_WIDTH);
    const percent = `${Math.floor(ratio * 100)}%`.padStart(4);
    const tail = `${percent}  ${speed(done / 1000 / milliseconds)} MB/s`;
    const room = stream.columns - title.length - tail.length - 4;
    const bar =
      room < BAR_WIDTH
        ? ''
        : color.green('━'.repeat(filled)) + color.dim('━'.repeat(BAR_WIDTH - filled));
    stream.write(`${ERASE}${title}  ${bar}${tail}`);
  };
  const clear = (): void => {
    if (title !== '' && live) stream.write(ERASE);
    title = '';
  };
  return {
    start(mechanism, row) {
      title = `${mechanism.name}  ${row.what}`;
      if (live) stream.write(`${ERASE}${title}`);
      drawn = -Infinity;
    },
    progress(done, milliseconds) {
      if (!live || performance.now() - drawn < REFRESH) return;
      drawn = performance.now();
      draw(done, milliseconds);
    },
    end({ mechanism, what, bytes, milliseconds, verified }) {
      if (live || quiet) return;
      const verdict = verified ? 'verified' : 'failed';
      stream.write(`${mechanism}  ${what}: ${amount(bytes)}, ${time(milliseconds)}, ${verdict}\n`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
