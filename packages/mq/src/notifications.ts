import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  errorOf,
  FdHandle,
  isIpcError,
  iterate,
  type IterationSource,
} from '@octoipc/core/kit';

import { binding, type MqBinding } from './binding.js';
import { EAGAIN, EBUSY } from './errno.js';

/** A message came into an empty queue. */
export interface Notification {
  /** How many messages the queue held when the registration had been renewed. */
  readonly currentMessages: number;
}

/** The queue that is watched. */
interface Watched {
  readonly closed: boolean;
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
 * The registration of this process, as what one iterates over.
 *
 * Lifetime:
 * 1. Registered from `begin` until the loop is left, a wait fails, or the queue's handle closes.
 * 2. The kernel's registration is used up by each message that it tells of, and goes when this process
 *    closes any descriptor of the queue (mq_notify(3)); the socket tells of both, and it is renewed.
 * 3. It is renewed first and then told: what comes before the renewal is in the queue when the consumer
 *    looks; what comes after it, into a queue that was drained, is told again.
 */
export class Notifications implements IterationSource<Notification> {
  readonly handle: Watched;
  readonly steps: AsyncIterableIterator<Notification>;
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
    this.handle = queue;
    this.#wait = wait;
    this.#ended = ended;
    this.steps = iterate(this);
  }

  /** Registers; what fails is told by the first step. */
  begin(): void {
    try {
      this.#socket = new NotifySocket(this.#binding, this.handle.name);
      this.#due = this.#register();
    } catch (error) {
      this.#failure = error;
      this.close();
    }
  }

  take(): Notification | null | typeof BLOCKED {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    if (this.#socket === undefined) return null;
    const due = this.#due;
    this.#due = undefined;
    return due === undefined || this.#wait.signal?.aborted === true ? BLOCKED : due;
  }

  async receive(): Promise<Notification | null> {
    const socket = this.#socket;
    if (socket === undefined) return null;
    try {
      return await socket.wait(() => this.#read(socket), this.#wait);
    } catch (error) {
      // The loop was left, or the queue's handle closed.
      if (this.#socket === undefined && isIpcError(error, 'ERR_CLOSED')) return null;
      this.close();
      throw error;
    }
  }

  left(): void {
    this.close();
  }

  /** Whether waits keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    this.#keep();
  }

  /** Gives the registration up; that is the end of pending steps. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#ended();
    if (socket === undefined) return;
    if (this.#registered) this.#binding.notifyUnregister(this.handle.fd);
    this.#registered = false;
    socket.close();
  }

  #keep(): void {
    if (this.#alive) this.#socket?.ref();
    else this.#socket?.unref();
  }

  /** Registers for the next message; tells if there are some already. */
  #register(): Notification | undefined {
    const { fd, name } = this.handle;
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
    const { currentMessages } = this.handle.attributes;
    return currentMessages > 0 ? { currentMessages } : undefined;
  }

  /** What the kernel has told; the registration is renewed before anybody hears of it. */
  #read(socket: NotifySocket): Notification | typeof BLOCKED {
    for (;;) {
      const event = this.#binding.notifyRead(socket.fd);
      if (event === EAGAIN) return BLOCKED;
      check(event, 'recv', { target: this.handle.name });
      this.#registered = false;
      const found = this.#register();
      if (event === WOKEN) return found ?? { currentMessages: 0 };
      if (found !== undefined) return found;
    }
  }
}
