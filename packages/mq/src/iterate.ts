/** After so many messages in a row an iteration lets the event loop turn, however many are there. */
const BURST = 256;

/** What can be iterated over: a queue. */
interface Source<T> {
  readonly closed: boolean;
  tryReceive(): T | undefined;
  receive(): Promise<T>;
}

/**
 * Messages as they come, until the queue's handle is closed. Takes one only when it is asked for, so
 * whoever leaves the loop leaves no message behind.
 */
export function iterate<T>(queue: Source<T>): AsyncIterator<T> {
  let burst = 0;
  const step = (value: T): IteratorResult<T> => ({ done: false, value });
  const waited = (value: T): IteratorResult<T> => {
    burst = 0;
    return step(value);
  };
  const end: IteratorResult<T> = { done: true, value: undefined };
  const next = (): Promise<IteratorResult<T>> => {
    try {
      if (queue.closed) return Promise.resolve(end);
      if (++burst > BURST) {
        burst = 0;
        return new Promise<void>((resolve) => setImmediate(resolve)).then(next);
      }
      const message = queue.tryReceive();
      return message === undefined ? queue.receive().then(waited) : Promise.resolve(step(message));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  };
  return { next, return: () => Promise.resolve(end) };
}
