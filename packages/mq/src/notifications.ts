import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, check, errorOf, FdHandle } from '@octoipc/core/kit';

import { binding, type MqBinding } from './binding.js';
import { EAGAIN, EBUSY } from './errno.js';

/** A message came into an empty queue. */
export interface Notification {
  /** How many messages the queue held when the registration had been renewed. */
  readonly currentMessages: number;
}

/** The queue that is watched. */
interface Watched {
  readonly name: string;
  readonly fd: number;
  readonly attributes: { readonly currentMessages: number };
}

const WOKEN = 1;

/** The socket that the kernel tells by. */
class NotifySocket extends FdHandle {
  readonly #target: string;

  constructor(native: MqBinding, target: string) {
    super(check(native.notifySocket(), 'socket', { target }), native);
    this.#target = target;
  }

  /** Waits until `attempt` has an answer. */
  wait<T>(attempt: () => T | typeof BLOCKED, options: WaitOptions): Promise<T> {
    return this.queue('readable').run(attempt, options, { details: this.describe() });
  }

  protected override describe(): { syscall: string; target: string } {
    return { syscall: 'mq_notify', target: this.#target };
  }
}

/**
 * The registration of this process, as an iterator.
 *
 * Lifetime:
 * 1. Registered from `begin` until the loop is left, a wait fails, or the queue's handle closes.
 * 2. The kernel's registration is used up by each message that it tells of, and goes when this process
 *    closes any descriptor of the queue (mq_notify(3)); the socket tells of both, and it is renewed.
 * 3. It is renewed first and then told: what comes before the renewal is in the queue when the consumer
 *    looks; what comes after it, into a queue that was drained, is told again.
 */
export class Notifications implements AsyncIterableIterator<Notification> {
  readonly #queue: Watched;
  readonly #wait: WaitOptions;
  readonly #ended: () => void;
  readonly #binding = binding();
  #socket: NotifySocket | undefined;
  /** Told by the next step without waiting: what the first registration found. */
  #due: Notification | undefined;
  #failure: unknown;
  /** Whether the kernel has our registration, as far as it told. */
  #registered = false;
  #alive = true;

  constructor(queue: Watched, wait: WaitOptions, ended: () => void) {
    this.#queue = queue;
    this.#wait = wait;
    this.#ended = ended;
  }

  /** Registers; what fails is told by the first step. */
  begin(): void {
    try {
      this.#socket = new NotifySocket(this.#binding, this.#queue.name);
      this.#due = this.#register();
    } catch (error) {
      this.#failure = error;
      this.close();
    }
  }

  next(): Promise<IteratorResult<Notification>> {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure as Error);
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve({ done: true, value: undefined });
    const due = this.#due;
    this.#due = undefined;
    if (due !== undefined && this.#wait.signal?.aborted !== true) {
      return Promise.resolve({ done: false, value: due });
    }
    return socket
      .wait(() => this.#read(socket), this.#wait)
      .then(
        (value) => ({ done: false as const, value }),
        (error: unknown) => {
          this.close();
          throw error;
        },
      );
  }

  return(): Promise<IteratorResult<Notification>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Whether waits keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    this.#keep();
  }

  /** Gives the registration up; a pending step rejects with `ERR_CLOSED`. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#ended();
    if (socket === undefined) return;
    if (this.#registered) this.#binding.notifyUnregister(this.#queue.fd);
    this.#registered = false;
    socket.close();
  }

  #keep(): void {
    if (this.#alive) this.#socket?.ref();
    else this.#socket?.unref();
  }

  /** Registers for the next message; tells if there are some already. */
  #register(): Notification | undefined {
    const { fd, name } = this.#queue;
    const result = this.#binding.notifyRegister(fd, this.#socket!.fd);
    if (result < 0) {
      const busy = result === EBUSY;
      throw errorOf(result, 'mq_notify', {
        target: name,
        hint: busy
          ? 'one process at a time can be registered; the file of the queue in the mqueue file system names it'
          : undefined,
      });
    }
    this.#registered = true;
    const { currentMessages } = this.#queue.attributes;
    return currentMessages > 0 ? { currentMessages } : undefined;
  }

  /** What the kernel has told; the registration is renewed before anybody hears of it. */
  #read(socket: NotifySocket): Notification | typeof BLOCKED {
    for (;;) {
      const event = this.#binding.notifyRead(socket.fd);
      if (event === EAGAIN) return BLOCKED;
      check(event, 'recv', { target: this.#queue.name });
      this.#registered = false;
      const found = this.#register();
      if (event === WOKEN) return found ?? { currentMessages: 0 };
      if (found !== undefined) return found;
    }
  }
}
