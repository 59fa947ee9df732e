import type { WaitOptions } from '@octoipc/core';
import {
  FdHandle,
  IpcError,
  POLLIN,
  POLLOUT,
  typeError,
  waitOptions,
  waitSync,
  type Attempt,
  type Temporary,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { Notifications, type Notification } from './notifications.js';
import { PosixCalls } from './posix-calls.js';
import type { PosixAttributes } from './posix-message.js';
import type { OpenedQueue, PosixAccess } from './posix-open.js';

/** A POSIX queue's descriptor, and all that is not sending and receiving. */
export abstract class PosixHandle extends FdHandle {
  /** The name that it was opened by. */
  readonly name: string;
  /** What this handle may do. */
  readonly access: PosixAccess;
  /** Bytes of the longest message. */
  readonly maxMessageSize: number;
  /** @internal */
  protected readonly calls: PosixCalls;
  readonly #temporary: Temporary | undefined;
  readonly #notifications = new Set<Notifications>();
  #alive = true;

  /** @internal */
  protected constructor(opened: OpenedQueue) {
    const calls = callsOn(opened);
    super(opened.fd, calls.binding);
    this.calls = calls;
    this.name = opened.name;
    this.access = opened.access;
    this.maxMessageSize = calls.maxMessageSize;
    this.#temporary = opened.temporary;
    this.#temporary?.belongsTo(this);
  }

  /** What the queue is, and how many messages it holds now. */
  get attributes(): PosixAttributes {
    this.checkOpen('mq_getattr');
    return this.calls.attributes;
  }

  /**
   * O_NONBLOCK of the open file description, as whoever shares it sees it (a child that inherits the
   * descriptor): this handle's calls wait, or do not, whatever it says. True at first; the first blocking
   * call without a timeout in the main thread makes it false, unless you have set it.
   *
   * @see mq_setattr(3)
   */
  get nonblocking(): boolean {
    this.checkOpen('mq_getattr');
    return this.calls.nonblocking;
  }

  set nonblocking(value: boolean) {
    if (typeof value !== 'boolean') throw typeError('nonblocking', 'a boolean', value);
    this.checkOpen('mq_setattr');
    this.calls.nonblocking = value;
  }

  /**
   * Tells when a message comes while the queue is empty, by mq_notify(3). The registration is this
   * process's from now on: it is renewed each time before you are told, so if you take all messages that
   * are there, no later one goes unnoticed. Tells at once if there are messages already.
   *
   * @param options - for each of its waits
   * @returns an iterator; leaving the loop gives the registration up
   * @throws {IpcError} EBUSY, from its first step, when this or another process is registered
   * @see mq_notify(3)
   */
  notifications(options?: WaitOptions): AsyncIterableIterator<Notification> {
    const wait = waitOptions(options);
    this.checkOpen('mq_notify');
    const notifications = new Notifications(this, wait, () =>
      this.#notifications.delete(notifications),
    );
    this.#notifications.add(notifications);
    notifications.begin();
    notifications.ref(this.#alive);
    return notifications.steps;
  }

  override ref(): this {
    this.#setAlive(true);
    return super.ref();
  }

  override unref(): this {
    this.#setAlive(false);
    return super.unref();
  }

  /** Gives the descriptor away; a temporary queue is unlinked. */
  override release(): number {
    this.#leave();
    const fd = super.release();
    this.#temporary?.end();
    return fd;
  }

  /** Closes the descriptor; pending waits reject with `ERR_CLOSED`. A temporary queue is unlinked. */
  override close(): void {
    this.#leave();
    super.close();
    this.#temporary?.end();
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('mq_receive');
  }

  /** @internal */
  protected details(syscall: string): { syscall: string; target: string } {
    return { syscall, target: this.name };
  }

  /** @internal */
  protected checkOpen(syscall: string): void {
    if (this.closed) throw new IpcError('ERR_CLOSED', this.details(syscall));
  }

  /**
   * Whether a blocking call may sleep in the kernel for as long as it takes.
   *
   * @internal
   */
  protected maySleep(direction: 'readable' | 'writable', { timeout }: WaitOptions): boolean {
    const endless = timeout === undefined || timeout === Infinity;
    return endless && this.waiting(direction) === 0 && this.calls.maySleep;
  }

  /** @internal */
  protected runSync<T>(
    attempt: Attempt<T>,
    direction: 'readable' | 'writable',
    { timeout }: WaitOptions,
    syscall: string,
  ): T {
    if (this.waiting(direction) > 0) {
      throw new IpcError('EBUSY', {
        ...this.details(syscall),
        hint: 'asynchronous calls wait on this handle: await them before a blocking one',
      });
    }
    const events = direction === 'readable' ? POLLIN : POLLOUT;
    const sleep = (milliseconds: number): void => this.calls.sleep(events, milliseconds);
    return waitSync(attempt, sleep, timeout, { details: this.details(syscall) });
  }

  #setAlive(alive: boolean): void {
    this.#alive = alive;
    for (const notifications of this.#notifications) notifications.ref(alive);
  }

  #leave(): void {
    for (const notifications of this.#notifications) notifications.close();
  }
}

/** The calls on a queue that nobody owns yet: where there are none, it is closed again. */
function callsOn(opened: OpenedQueue): PosixCalls {
  try {
    return new PosixCalls(opened);
  } catch (error) {
    binding().close(opened.fd);
    opened.temporary?.end();
    throw error;
  }
}
