import { BLOCKED } from '@octoipc/core/kit';

/** After so many messages in a row an iteration lets the event loop turn, however many are there. */
const BURST = 256;

/** What can be iterated over. */
interface Source<T> {
  /** Takes one if it is there, and nobody waits; null at the end. */
  takeNow(): T | null | typeof BLOCKED;
  receive(): Promise<T | null>;
}

/** Messages as they come, until the end; what is there already costs no wait. */
export function iterate<T>(source: Source<T>): AsyncIterator<T> {
  let burst = 0;
  const end: IteratorResult<T> = { done: true, value: undefined };
  const step = (value: T | null): IteratorResult<T> =>
    value === null ? end : { done: false, value };
  const waited = (value: T | null): IteratorResult<T> => {
    burst = 0;
    return step(value);
  };
  const next = (): Promise<IteratorResult<T>> => {
    if (++burst > BURST) {
      burst = 0;
      return new Promise<void>((resolve) => setImmediate(resolve)).then(next);
    }
    try {
      const value = source.takeNow();
      return value === BLOCKED ? source.receive().then(waited) : Promise.resolve(step(value));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  };
  return { next, return: () => Promise.resolve(end) };
}
