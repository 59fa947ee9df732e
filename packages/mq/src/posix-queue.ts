import type { Bytes, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  descriptor,
  integer,
  optionsObject,
  waitOptions,
  type Attempt,
} from '@octoipc/core/kit';

import { messagesOf } from './iterate.js';
import { adoptPosix } from './posix-adopt.js';
import { PosixHandle } from './posix-handle.js';
import { posixLimits, type PosixQueueLimits } from './posix-limits.js';
import { listPosix, type ListOptions, type PosixQueueInfo } from './posix-list.js';
import type {
  PosixMessage,
  PosixReceiveOptions,
  PosixSendOptions,
  ReceiveManyOptions,
} from './posix-message.js';
import { openPosix, unlinkPosix, type PosixOpenOptions } from './posix-open.js';

/**
 * A POSIX message queue: whole messages, the highest priority first, in the order of sending within one.
 *
 * Lifetime: the handle owns its descriptor until `close()`. The queue is the kernel's: it outlives all
 * processes, until somebody unlinks it, the machine restarts, or, if it was created `temporary`, this
 * handle closes. Waiting takes no thread; waits are served first come, first served, and one that was
 * aborted or timed out has sent or taken nothing.
 *
 * @example
 * ```js
 * import { PosixQueue } from '@octoipc/mq';
 *
 * const jobs = PosixQueue.open('/octoipc-doc', { temporary: true, maxMessages: 4 });
 * await jobs.send('later');
 * await jobs.send('now', { priority: 9 });
 * const { data, priority } = await jobs.receive();
 * [String(data), priority]; //=> ['now', 9]
 * jobs.close();
 * ```
 * @see mq_overview(7)
 */
export class PosixQueue extends PosixHandle implements AsyncIterable<PosixMessage> {
  /**
   * Opens a queue, or creates it.
   *
   * @param name - a slash and up to 254 bytes without one
   * @param options - what to create, and what for
   * @returns the queue
   * @throws {IpcError} ENOENT when there is none; EEXIST when `exclusive` and there is one
   * @throws {IpcError} EACCES when its mode does not let this user in
   * @throws {IpcError} EINVAL when `maxMessages` or `maxMessageSize` is over the system's limit
   * @throws {IpcError} EMFILE when RLIMIT_MSGQUEUE or the descriptors are used up: `hint` says which
   * @throws {IpcError} ENOSPC when there are fs.mqueue.queues_max queues
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when the name is none
   * @see mq_open(3)
   */
  static open(name: string, options?: PosixOpenOptions): PosixQueue {
    return new PosixQueue(openPosix(name, options));
  }

  /**
   * Takes over a descriptor, of systemd's ListenMessageQueue for instance. Its open file description,
   * which others may share, stays in the mode that it is in. In a worker it gets another number, which
   * nobody else knows: Node closes what `fs.openSync` opened there by its number when the worker ends.
   *
   * @param fd - of a POSIX queue
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is something else
   * @throws {IpcError} EBADF when it is not open; EEXIST when another handle owns it
   */
  static fromFd(fd: number): PosixQueue {
    return new PosixQueue(adoptPosix(descriptor(fd)));
  }

  /**
   * Removes a name; who has the queue open keeps it.
   *
   * @throws {IpcError} ENOENT when there is none; EACCES when it is another user's
   * @see mq_unlink(3)
   */
  static unlink(name: string): void {
    unlinkPosix(name);
  }

  /**
   * The queues of this IPC namespace: all of them where the mqueue file system is mounted, else those
   * that some process, of those that this user may look at, has open.
   *
   * @param options - `holders: false` leaves `holders` empty where the file system is mounted
   */
  static list(options?: ListOptions): PosixQueueInfo[] {
    return listPosix(options);
  }

  /** What this system allows. */
  static limits(): PosixQueueLimits {
    return posixLimits();
  }

  /**
   * Sends a message; waits while the queue is full.
   *
   * @param message - bytes, or a string as UTF-8; it may change once this has returned
   * @param options - its priority, and how long
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`
   * @throws {IpcError} EBADF when the queue was opened with access 'receive'
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @see mq_send(3)
   */
  send(message: Bytes, options?: PosixSendOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      this.checkOpen('mq_send');
      const { attempt, queued } = this.calls.sending(message, options);
      const operation = { details: this.details('mq_send'), queued };
      return this.queue('writable').run(attempt, wait, operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Sends a message if there is room.
   *
   * @returns whether it was sent; false too if others wait already
   */
  trySend(message: Bytes, options?: { readonly priority?: number | undefined }): boolean {
    this.checkOpen('mq_send');
    if (this.waiting('writable') === 0) return this.calls.put(message, options) !== BLOCKED;
    this.calls.sending(message, options);
    return false;
  }

  /**
   * Sends a message; blocks this thread while the queue is full.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when sends wait already
   */
  sendSync(message: Bytes, options?: Omit<PosixSendOptions, 'signal'>): void {
    const wait = waitOptions(options);
    this.checkOpen('mq_send');
    if (this.maySleep('writable', wait) && this.calls.put(message, options, true) !== BLOCKED)
      return;
    const { attempt } = this.calls.sending(message, options);
    this.runSync(attempt, 'writable', wait, 'mq_send');
  }

  /**
   * Takes the oldest message of the highest priority; waits while there is none.
   *
   * @param options - where to, and how long
   * @throws {RangeError} ERR_OUT_OF_RANGE when `into` has no room for `maxMessageSize` bytes
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} EBADF when the queue was opened with access 'send'
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   * @see mq_receive(3)
   */
  receive(options?: PosixReceiveOptions): Promise<PosixMessage> {
    try {
      const into = this.#into(options);
      if (into === undefined) return this.#receiving(this.calls.takeOne, options);
      const { calls } = this;
      return this.#receiving(() => calls.take(calls.memory(into), false), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Takes a message if there is one; `undefined` if there is none, or others wait already. */
  tryReceive(options?: Pick<PosixReceiveOptions, 'into'>): PosixMessage | undefined {
    const into = this.#into(options);
    this.checkOpen('mq_receive');
    if (this.waiting('readable') > 0) return undefined;
    const message = this.calls.take(into, false);
    return message === BLOCKED ? undefined : message;
  }

  /**
   * Takes a message; blocks this thread while there is none.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when receives wait already
   */
  receiveSync(options?: Omit<PosixReceiveOptions, 'signal'>): PosixMessage {
    const wait = waitOptions(options);
    const into = this.#into(options);
    this.checkOpen('mq_receive');
    if (this.maySleep('readable', wait)) {
      const message = this.calls.take(into, true);
      if (message !== BLOCKED) return message;
    }
    return this.#receiveWaiting(into, wait);
  }

  #receiveWaiting(into: Uint8Array | undefined, wait: WaitOptions): PosixMessage {
    return this.runSync(() => this.calls.take(into, false), 'readable', wait, 'mq_receive');
  }

  /**
   * Takes all messages that are there, in one native call; waits while there is none.
   *
   * @returns the messages in their order, at least one
   */
  receiveMany(options?: ReceiveManyOptions): Promise<PosixMessage[]> {
    try {
      const { max = Infinity } = optionsObject<ReceiveManyOptions>(options);
      if (max !== Infinity) integer(max, 'options.max', 1);
      return this.#receiving(() => this.calls.takeAll(max), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Messages as they come, until the handle is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<PosixMessage> {
    return messagesOf<PosixMessage>(this);
  }

  /** @internal Receives for somebody who is told at once, before anything else can happen. */
  receiveFirst(
    won: (message: PosixMessage) => boolean,
    options: WaitOptions | undefined,
  ): Promise<PosixMessage> {
    return this.#receiving(() => {
      const message = this.calls.takeOne();
      if (message !== BLOCKED) won(message);
      return message;
    }, options);
  }

  #into(options: Pick<PosixReceiveOptions, 'into'> | undefined): Uint8Array | undefined {
    if (options === undefined) return undefined;
    const { into } = optionsObject<PosixReceiveOptions>(options);
    return into === undefined ? undefined : this.calls.memory(into);
  }

  #receiving<T>(attempt: Attempt<T>, options: WaitOptions | undefined): Promise<T> {
    try {
      const wait = waitOptions(options);
      this.checkOpen('mq_receive');
      return this.queue('readable').run(attempt, wait, { details: this.details('mq_receive') });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }
}
