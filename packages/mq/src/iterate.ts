import { BLOCKED, iterate } from '@octoipc/core/kit';

/** What can be iterated over: a queue. */
interface Source<T> {
  readonly closed: boolean;
  tryReceive(): T | undefined;
  receive(options: { readonly signal: AbortSignal }): Promise<T>;
}

/** Messages as they come, until the queue's handle is closed. */
export function messagesOf<T>(queue: Source<T>): AsyncIterableIterator<T> {
  return iterate<T>({
    handle: queue,
    takesTurns: true,
    take: () => queue.tryReceive() ?? BLOCKED,
    receive: (wait) => queue.receive(wait),
  });
}
