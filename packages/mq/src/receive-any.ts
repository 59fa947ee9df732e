import { isIpcError, type WaitOptions } from '@octoipc/core';
import {
  closedError,
  timeoutError,
  typeError,
  valueError,
  waitOptions,
  Pending,
} from '@octoipc/core/kit';

import { PosixQueue } from './posix-queue.js';
import { SysvQueue } from './sysv-queue.js';

/** A message, and the queue that it came from. */
export interface ReceivedFrom<Q extends PosixQueue | SysvQueue = PosixQueue | SysvQueue> {
  readonly queue: Q;
  readonly data: Buffer;
  /** Of a POSIX queue's message. */
  readonly priority?: number;
  /** Of a System V queue's message. */
  readonly type?: number;
}

const DETAILS = { syscall: 'receiveAny', target: 'several queues' };

/**
 * Takes the first message that comes in any of several queues, of either kind; of the others it takes
 * none. Where several have messages already, the first in the list is asked first.
 *
 * @param queues - at least one
 * @param options - how long
 * @returns the message and its queue
 * @throws {IpcError} ETIMEDOUT when the timeout is over
 * @throws {IpcError} ERR_CLOSED, EIDRM or what else befalls one of the queues
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when something in the list is no queue
 * @example
 * ```js
 * import { PosixQueue, receiveAny, SysvQueue } from '@octoipc/mq';
 *
 * const urgent = PosixQueue.open('/octoipc-any', { temporary: true, maxMessages: 4 });
 * const other = SysvQueue.open('private', { temporary: true });
 * await other.send('here', { type: 3 });
 * const { queue, data, type } = await receiveAny([urgent, other]);
 * [queue === other, String(data), type]; //=> [true, 'here', 3]
 * urgent.close();
 * other.close();
 * ```
 */
export function receiveAny<Q extends PosixQueue | SysvQueue>(
  queues: readonly Q[],
  options?: WaitOptions,
): Promise<ReceivedFrom<Q>> {
  try {
    const wait = waitOptions(options);
    const different = [...new Set(checked(queues))];
    if (wait.signal?.aborted === true) return Promise.reject(wait.signal.reason as Error);
    return new Race(different, wait).run();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function checked<Q extends PosixQueue | SysvQueue>(queues: readonly Q[]): readonly Q[] {
  if (!Array.isArray(queues)) throw typeError('queues', 'an array of queues', queues);
  if (queues.length === 0) throw valueError('queues', 'must not be empty', queues);
  for (const queue of queues) {
    if (!(queue instanceof PosixQueue || queue instanceof SysvQueue)) {
      throw typeError('queues', 'an array of queues', queue);
    }
    if (queue.closed) throw closedError(DETAILS);
  }
  return queues;
}

/** Waits on several queues, of which the first to have a message ends the others' waits at once. */
class Race<Q extends PosixQueue | SysvQueue> {
  readonly #queues: readonly Q[];
  readonly #timeout: number | undefined;
  readonly #pending: Pending<ReceivedFrom<Q>>;
  readonly #waits = new Map<Q, AbortController>();
  #left: number;
  #over = false;

  constructor(queues: readonly Q[], { signal, timeout }: WaitOptions) {
    this.#queues = queues;
    this.#left = queues.length;
    this.#timeout = timeout;
    this.#pending = new Pending({ signal }, DETAILS, (error) => this.#fail(error));
  }

  run(): Promise<ReceivedFrom<Q>> {
    for (const queue of this.#queues) {
      if (this.#over) break;
      const controller = new AbortController();
      this.#waits.set(queue, controller);
      const wait = { signal: controller.signal, timeout: this.#timeout };
      this.#receive(queue, wait).catch((error: unknown) => {
        if (controller.signal.aborted) return;
        if (!isIpcError(error, 'ETIMEDOUT')) this.#fail(error);
        else if (--this.#left === 0) this.#fail(timeoutError(DETAILS));
      });
    }
    return this.#pending.promise;
  }

  #receive(queue: Q, wait: WaitOptions): Promise<unknown> {
    const won = (message: { readonly data: Buffer }): boolean => {
      if (this.#over) return false;
      this.#end(queue);
      this.#pending.resolve({ queue, ...message });
      return true;
    };
    return queue.receiveFirst(won, wait);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#end(undefined);
    this.#pending.fail(error);
  }

  /** Ends the waits of all queues but the one that has served. */
  #end(served: Q | undefined): void {
    this.#over = true;
    for (const [queue, controller] of this.#waits) if (queue !== served) controller.abort();
  }
}
