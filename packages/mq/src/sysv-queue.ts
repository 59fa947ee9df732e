import { BLOCKED, integer, optionsObject, waitOptions, waitSync } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { messagesOf } from './iterate.js';
import { SysvSending } from './sysv-sending.js';
import type {
  SysvMessage,
  SysvReceiveManyOptions,
  SysvReceiveOptions,
  SysvSelection,
  SysvTarget,
} from './sysv-message.js';
import {
  adoptSysv,
  openSysv,
  removeSysv,
  type SysvKey,
  type SysvOpenOptions,
} from './sysv-open.js';
import { selectorOf, targetOf, type Selector } from './sysv-selector.js';
import { listSysv, type SysvQueueInfo } from './sysv-status.js';

/**
 * A System V message queue: whole messages with a type, by which they are chosen.
 *
 * Lifetime: the queue is the kernel's: it outlives all processes, until somebody removes it, the machine
 * restarts, or, if it was created `temporary`, this handle closes. The handle owns no descriptor, and a
 * thread only while something waits. Waits are served first come, first served; one that was aborted or
 * timed out has sent or taken nothing.
 *
 * @example
 * ```js
 * import { SysvQueue } from '@octoipc/mq';
 *
 * const queue = SysvQueue.open('private', { temporary: true });
 * await queue.send('for anyone');
 * await queue.send('for number 7', { type: 7 });
 * String((await queue.receive({ type: 7 })).data); //=> 'for number 7'
 * String((await queue.receive()).data); //=> 'for anyone'
 * queue.close();
 * ```
 * @see svipc(7)
 */
export class SysvQueue extends SysvSending implements AsyncIterable<SysvMessage> {
  /**
   * Opens a queue, or creates it.
   *
   * @param key - a key; `{ path, project }` as ftok(3) takes them; or `'private'`: a new one without
   * @param options - what to create
   * @returns the queue
   * @throws {IpcError} ENOENT when there is none; EEXIST when `exclusive` and there is one
   * @throws {IpcError} EACCES when its mode lets this user neither send nor receive
   * @throws {IpcError} ENOSPC when there are kernel.msgmni queues
   * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE when the key is none
   * @see msgget(2)
   */
  static open(key: SysvKey, options?: SysvOpenOptions): SysvQueue {
    return new SysvQueue(openSysv(key, options));
  }

  /**
   * Opens a queue by its id, of another process's private queue for instance.
   *
   * @throws {IpcError} EINVAL when there is none
   */
  static fromId(id: number): SysvQueue {
    return new SysvQueue(adoptSysv(id));
  }

  /**
   * Removes a queue, and all messages, at once. Who waits for it is told `EIDRM`.
   *
   * @throws {IpcError} EINVAL when there is none; EPERM when it is another user's
   * @see msgctl(2)
   */
  static remove(id: number): void {
    removeSysv(id);
  }

  /** The queues of this IPC namespace, with who used them last and whether they live. */
  static list(): SysvQueueInfo[] {
    return listSysv(binding());
  }

  /**
   * Takes a message; waits while there is none that suits.
   *
   * @param options - which one, how much of it, and how long
   * @throws {IpcError} E2BIG when it is longer than `maxBytes`; it stays in the queue
   * @throws {IpcError} EIDRM when the queue was removed, before or while it waits
   * @throws {IpcError} EACCES when the queue's mode does not let this user receive
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   * @see msgrcv(2)
   */
  receive(options?: SysvReceiveOptions): Promise<SysvMessage> {
    return this.receiveFirst(() => true, options);
  }

  /** Takes a message if one suits; `undefined` if none does, or who waits already might want it. */
  tryReceive(options?: SysvSelection & SysvTarget): SysvMessage | undefined {
    const selector = targetOf(this.calls.binding, options);
    this.check('msgrcv');
    if (this.receivers.contends(selector)) return undefined;
    const message = this.calls.takeOne(selector);
    return message === BLOCKED ? undefined : message;
  }

  /**
   * Takes a message; blocks this thread while there is none that suits.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when receives wait already
   */
  receiveSync(options?: Omit<SysvReceiveOptions, 'signal'>): SysvMessage {
    const { timeout } = waitOptions(options);
    const selector = targetOf(this.calls.binding, options);
    this.check('msgrcv');
    this.refuseBlocking(this.receivers.length, 'msgrcv');
    // One system call, where the first look and the sleep are two.
    if (this.calls.sleepsForEver(timeout)) {
      const message = this.calls.takeOne(selector, 0);
      if (message !== BLOCKED) return message;
    }
    return this.#receiveWaiting(selector, timeout);
  }

  #receiveWaiting(selector: Selector, timeout: number | undefined): SysvMessage {
    let taken: SysvMessage | typeof BLOCKED = BLOCKED;
    return waitSync(
      () => (taken === BLOCKED ? this.calls.takeOne(selector) : taken),
      (milliseconds) => {
        taken = this.calls.takeOne(selector, this.calls.slice(milliseconds, timeout));
      },
      timeout,
      { details: this.details('msgrcv') },
    );
  }

  /**
   * Takes all messages that suit, in one native call; waits while there is none.
   *
   * @returns the messages in their order, at least one
   */
  receiveMany(options?: SysvReceiveManyOptions): Promise<SysvMessage[]> {
    try {
      const wait = waitOptions(options);
      const { max = Infinity } = optionsObject<SysvReceiveManyOptions>(options);
      if (max !== Infinity) integer(max, 'options.max', 1);
      const selector = selectorOf(this.calls.binding, options);
      this.check('msgrcv');
      const attempt = (): SysvMessage[] | typeof BLOCKED => this.calls.takeAll(selector, max);
      return this.receivers.run({ selector, attempt, accept: (message) => [message] }, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * A copy of a message, which stays in the queue (MSG_COPY).
   *
   * @param index - 0 is the oldest
   * @returns the message; `null` if there are not so many
   * @throws {IpcError} ERR_UNSUPPORTED when the kernel cannot do that
   */
  peek(index: number): SysvMessage | null {
    integer(index, 'index', 0, 0x7fff_ffff);
    this.check('msgrcv');
    return this.calls.peek(index);
  }

  /** Messages as they come, until the handle is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<SysvMessage> {
    return messagesOf<SysvMessage>(this);
  }

  /** @internal Receives for somebody who decides at the last moment, and may not want it any more. */
  receiveFirst(
    wanted: (message: SysvMessage) => boolean,
    options: SysvReceiveOptions | undefined,
  ): Promise<SysvMessage> {
    try {
      const wait = waitOptions(options);
      const selector = targetOf(this.calls.binding, options);
      this.check('msgrcv');
      const attempt = (): SysvMessage | typeof BLOCKED => {
        const message = this.calls.takeOne(selector);
        if (message !== BLOCKED) wanted(message);
        return message;
      };
      const accept = (message: SysvMessage): SysvMessage | undefined =>
        wanted(message) ? message : undefined;
      return this.receivers.run({ selector, attempt, accept }, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }
}
