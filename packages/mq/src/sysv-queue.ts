import { IpcError, type Bytes, type WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  closedError,
  integer,
  optionsObject,
  ResourceHandle,
  waitOptions,
  waitSync,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { iterate } from './iterate.js';
import { messageBytes } from './message.js';
import { SysvCalls } from './sysv-calls.js';
import type {
  SysvMessage,
  SysvReceiveManyOptions,
  SysvReceiveOptions,
  SysvSelection,
  SysvSendOptions,
} from './sysv-message.js';
import {
  adoptSysv,
  openSysv,
  removeSysv,
  type OpenedSysvQueue,
  type SysvKey,
  type SysvOpenOptions,
} from './sysv-open.js';
import { SysvReceivers } from './sysv-receivers.js';
import { selectorOf } from './sysv-selector.js';
import { SysvSenders } from './sysv-senders.js';
import { listSysv, readStatus, type SysvQueueInfo, type SysvQueueStatus } from './sysv-status.js';

/** What `setStat` changes. */
export interface SysvChanges {
  /** Permission bits. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** The most bytes of all messages. */
  readonly maxBytes?: number | undefined;
}

const MOST = 0xffff_fffe;

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
export class SysvQueue extends ResourceHandle implements AsyncIterable<SysvMessage> {
  /** The key, unsigned; 0 for a private queue, unless it is temporary. */
  readonly key: number;
  readonly #calls: SysvCalls;
  readonly #receivers: SysvReceivers;
  readonly #senders: SysvSenders;

  protected constructor({ id, key, target, temporary }: OpenedSysvQueue) {
    super({ release: () => temporary?.end() });
    this.key = key;
    this.#calls = new SysvCalls(id, target);
    this.#receivers = new SysvReceivers(this.#calls, this);
    this.#senders = new SysvSenders(this.#calls, this);
  }

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

  /** The kernel's number of the queue. */
  get id(): number {
    this.#check('msgget');
    return this.#calls.id;
  }

  /** Bytes of the longest message that can be sent: kernel.msgmax, as it was at opening. */
  get maxMessageSize(): number {
    return this.#calls.maxMessageSize;
  }

  /**
   * Sends a message; waits while the queue is full.
   *
   * @param message - bytes, or a string as UTF-8; it may change once this has returned
   * @param options - its type, and how long
   * @throws {IpcError} EMSGSIZE when it is longer than kernel.msgmax, or than the queue's maxBytes
   * @throws {IpcError} EIDRM when the queue was removed, before or while it waits
   * @throws {IpcError} EACCES when the queue's mode does not let this user send
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @see msgsnd(2)
   */
  send(message: Bytes, options?: SysvSendOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      const data = messageBytes(message);
      const type = typeOf(options);
      this.#check('msgsnd');
      return this.#senders.run(data, type, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sends a message if there is room; whether it was sent. False too if others wait already. */
  trySend(message: Bytes, options?: Pick<SysvSendOptions, 'type'>): boolean {
    const data = messageBytes(message);
    const type = typeOf(options);
    this.#check('msgsnd');
    return this.#senders.length === 0 && this.#calls.put(data, type) !== BLOCKED;
  }

  /**
   * Sends a message; blocks this thread while the queue is full.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when sends wait already
   */
  sendSync(message: Bytes, options?: Omit<SysvSendOptions, 'signal'>): void {
    const { timeout } = waitOptions(options);
    const data = messageBytes(message);
    const type = typeOf(options);
    this.#check('msgsnd');
    this.#refuseBlocking(this.#senders.length, 'msgsnd');
    let sent = false;
    waitSync<void>(
      () => (sent ? undefined : this.#calls.put(data, type)),
      (milliseconds) => {
        sent = this.#calls.putFor(data, type, milliseconds) !== BLOCKED;
      },
      timeout,
      { details: this.#details('msgsnd') },
    );
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
  tryReceive(options?: SysvSelection): SysvMessage | undefined {
    const selector = selectorOf(this.#calls.binding, options);
    this.#check('msgrcv');
    if (this.#receivers.contends(selector)) return undefined;
    const message = this.#calls.takeOne(selector);
    return message === BLOCKED ? undefined : message;
  }

  /**
   * Takes a message; blocks this thread while there is none that suits.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when receives wait already
   */
  receiveSync(options?: Omit<SysvReceiveOptions, 'signal'>): SysvMessage {
    const { timeout } = waitOptions(options);
    const selector = selectorOf(this.#calls.binding, options);
    this.#check('msgrcv');
    this.#refuseBlocking(this.#receivers.length, 'msgrcv');
    let taken: SysvMessage | typeof BLOCKED = BLOCKED;
    return waitSync(
      () => (taken === BLOCKED ? this.#calls.takeOne(selector) : taken),
      (milliseconds) => {
        taken = this.#calls.takeFor(selector, milliseconds);
      },
      timeout,
      { details: this.#details('msgrcv') },
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
      const selector = selectorOf(this.#calls.binding, options);
      this.#check('msgrcv');
      const attempt = (): SysvMessage[] | typeof BLOCKED => this.#calls.takeAll(selector, max);
      return this.#receivers.run({ selector, attempt, accept: (message) => [message] }, wait);
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
    this.#check('msgrcv');
    return this.#calls.peek(index);
  }

  /** Messages as they come, until the handle is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterator<SysvMessage> {
    return iterate(this);
  }

  /**
   * What the queue is, what it holds, and who used it last.
   *
   * @throws {IpcError} EIDRM when it was removed; EACCES when its mode does not let this user read
   */
  stat(): SysvQueueStatus {
    this.#check('msgctl');
    const status = readStatus(this.#calls.binding, this.#calls.id);
    if (typeof status === 'number') throw this.#calls.error(status, 'msgctl');
    return status;
  }

  /**
   * Changes mode, owner or size.
   *
   * @throws {IpcError} EPERM when it is another user's, or `maxBytes` over kernel.msgmnb
   */
  setStat(changes: SysvChanges): void {
    const { mode, uid, gid, maxBytes } = optionsObject<SysvChanges>(changes, 'changes');
    const values = [
      mode === undefined ? -1 : integer(mode, 'changes.mode', 0, 0o777),
      uid === undefined ? -1 : integer(uid, 'changes.uid', 0, MOST),
      gid === undefined ? -1 : integer(gid, 'changes.gid', 0, MOST),
      maxBytes === undefined ? -1 : integer(maxBytes, 'changes.maxBytes', 0),
    ] as const;
    this.#check('msgctl');
    const result = this.#calls.binding.sysvSet(this.#calls.id, ...values);
    if (result < 0) throw this.#calls.error(result, 'msgctl');
  }

  /** Removes the queue and all messages, for everybody, at once, and closes the handle. */
  remove(): void {
    this.#check('msgctl');
    const result = this.#calls.binding.sysvRemove(this.#calls.id);
    if (result < 0) throw this.#calls.error(result, 'msgctl');
    this.#end(new IpcError('EIDRM', this.#details('msgctl')));
  }

  /** Pending waits reject with `ERR_CLOSED`; a temporary queue is removed. */
  override close(): void {
    if (!this.closed) this.#end(undefined);
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#setAlive(true);
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    return this.#setAlive(false);
  }

  /** @internal Receives for somebody who decides at the last moment, and may not want it any more. */
  receiveFirst(
    wanted: (message: SysvMessage) => boolean,
    options: SysvReceiveOptions | undefined,
  ): Promise<SysvMessage> {
    try {
      const wait = waitOptions(options);
      const selector = selectorOf(this.#calls.binding, options);
      this.#check('msgrcv');
      const attempt = (): SysvMessage | typeof BLOCKED => {
        const message = this.#calls.takeOne(selector);
        if (message !== BLOCKED) wanted(message);
        return message;
      };
      const accept = (message: SysvMessage): SysvMessage | undefined =>
        wanted(message) ? message : undefined;
      return this.#receivers.run({ selector, attempt, accept }, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  protected override describe(): { syscall: string; target: string } {
    return this.#details('msgrcv');
  }

  #details(syscall: string): { syscall: string; target: string } {
    return { syscall, target: this.#calls.target };
  }

  #check(syscall: string): void {
    if (this.closed) throw closedError(this.#details(syscall));
  }

  #refuseBlocking(waiting: number, syscall: string): void {
    if (waiting === 0) return;
    throw new IpcError('EBUSY', {
      ...this.#details(syscall),
      hint: 'asynchronous calls wait on this handle: await them before a blocking one',
    });
  }

  #setAlive(alive: boolean): this {
    this.#receivers.ref(alive);
    this.#senders.ref(alive);
    return this;
  }

  /** An error costs a stack trace: without one it is made only if somebody waits. */
  #end(error: IpcError | undefined): void {
    if (this.#receivers.length > 0) {
      this.#receivers.fail(error ?? closedError(this.#details('msgrcv')));
    }
    if (this.#senders.length > 0) this.#senders.fail(error ?? closedError(this.#details('msgsnd')));
    super.close();
  }
}

function typeOf(options: Pick<SysvSendOptions, 'type'> | undefined): number {
  const { type = 1 } = optionsObject<SysvSendOptions>(options);
  return integer(type, 'options.type', 1);
}
