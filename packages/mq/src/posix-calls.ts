import type { Bytes } from '@octoipc/core';
import {
  BLOCKED,
  check,
  errorOf,
  integer,
  IpcError,
  optionsObject,
  type Attempt,
} from '@octoipc/core/kit';

import { binding, type MqBinding } from './binding.js';
import { EAGAIN, EBADF } from './errno.js';
import { messageBytes } from './message.js';
import { MAX_PRIORITY } from './posix-limits.js';
import type { PosixAttributes, PosixMessage, PosixSendOptions } from './posix-message.js';
import type { OpenedQueue, PosixAccess } from './posix-open.js';
import { receiveAll, receiveOne, type Receive } from './slab.js';

const makeMessage = (data: Buffer, priority: number): PosixMessage => ({ data, priority });

/**
 * The calls on one queue's descriptor, none of which waits.
 *
 * Lifetime: as long as the handle that owns the descriptor, which calls nothing once it is closed.
 */
export class PosixCalls {
  readonly binding: MqBinding;
  readonly maxMessageSize: number;
  readonly #fd: number;
  readonly #name: string;
  readonly #access: PosixAccess;
  readonly #receive: Receive;
  readonly #receiveSleeping: Receive;
  /** Whether its open file description is in blocking mode by now; undefined: that is not ours to say. */
  #sleeps: boolean | undefined;

  constructor({ fd, name, access, adopted = false }: OpenedQueue) {
    const native = binding();
    this.binding = native;
    this.#fd = fd;
    this.#name = name;
    this.#access = access;
    const { maxMessageSize } = this.attributes;
    this.maxMessageSize = maxMessageSize;
    this.#receive = (offset, max) => native.posixReceive(fd, offset, maxMessageSize, max);
    this.#receiveSleeping = (offset) => native.posixReceiveSleeping(fd, offset, maxMessageSize);
    this.#sleeps = adopted || native.mainThread !== 1 ? undefined : false;
  }

  readonly takeOne = (): PosixMessage | typeof BLOCKED =>
    this.#taken(receiveOne(this.maxMessageSize, this.#receive, makeMessage));

  takeAll(max: number): PosixMessage[] | typeof BLOCKED {
    return this.#taken(receiveAll(this.maxMessageSize, max, this.#receive, makeMessage));
  }

  /**
   * Whether a blocking call may sleep in the kernel's own, which costs one system call where a poll(2)
   * costs three: in the main thread, on an open file description of ours, which goes to blocking mode at
   * the first such call. Calls that must not wait say so for themselves.
   */
  get maySleep(): boolean {
    if (this.#sleeps === false && this.binding.posixSetNonblocking(this.#fd, false) >= 0) {
      this.#sleeps = true;
    }
    return this.#sleeps === true;
  }

  /** Takes a message; sleeps while there is none. */
  takeSleeping(): PosixMessage {
    const result = receiveOne(this.maxMessageSize, this.#receiveSleeping, makeMessage);
    if (typeof result === 'number') throw this.#error(result, 'mq_receive');
    return result;
  }

  /** Sends; sleeps while the queue is full. */
  putSleeping(message: Bytes, options: Omit<PosixSendOptions, 'signal'> | undefined): void {
    const data = this.#checked(message);
    const priority = priorityOf(options);
    const { binding: native } = this;
    const result = native.known.sent.isKnown(data)
      ? native.posixSendSleepingAgain(this.#fd, priority)
      : native.posixSendSleeping(this.#fd, native.known.sent.know(data), priority);
    if (result < 0) throw this.#error(result, 'mq_send');
  }

  /** Sends if there is room. */
  put(message: Bytes, options: PosixSendOptions | undefined): void | typeof BLOCKED {
    return this.#put(this.#checked(message), priorityOf(options));
  }

  /**
   * The attempt to send a message.
   *
   * @param message - what is sent; copied before others may change it
   * @param options - its priority
   * @param waits - it will not be tried at once
   */
  sending(message: Bytes, options: PosixSendOptions | undefined, waits: boolean): Attempt<void> {
    let data = this.#checked(message);
    const priority = priorityOf(options);
    let copied = typeof message === 'string';
    const keep = (): void => {
      if (!copied) data = Uint8Array.prototype.slice.call(data);
      copied = true;
    };
    if (waits) keep();
    return () => {
      const result = this.#put(data, priority);
      if (result === BLOCKED) keep();
      return result;
    };
  }

  get attributes(): PosixAttributes {
    const [, maxMessages = 0, maxMessageSize = 0, currentMessages = 0] = this.#getattr();
    return { maxMessages, maxMessageSize, currentMessages };
  }

  get nonblocking(): boolean {
    return this.#getattr()[0] !== 0;
  }

  set nonblocking(value: boolean) {
    this.#sleeps = undefined;
    check(this.binding.posixSetNonblocking(this.#fd, value), 'mq_setattr', { target: this.#name });
  }

  /** Blocks this thread until the descriptor is ready, or so many milliseconds are over. */
  sleep(events: number, milliseconds: number): void {
    this.binding.poll(this.#fd, events, milliseconds);
  }

  #checked(message: Bytes): Uint8Array {
    // What is known has passed that check.
    const data = this.binding.known.sent.isKnown(message) ? message : messageBytes(message);
    if (data.length <= this.maxMessageSize) return data;
    throw new IpcError('EMSGSIZE', {
      syscall: 'mq_send',
      target: this.#name,
      hint: `the message has ${data.length} bytes, of ${this.maxMessageSize} at most: create the queue with a larger maxMessageSize`,
    });
  }

  #put(data: Uint8Array, priority: number): void | typeof BLOCKED {
    const { binding: native } = this;
    const result = native.known.sent.isKnown(data)
      ? native.posixSendAgain(this.#fd, priority)
      : native.posixSend(this.#fd, native.known.sent.know(data), priority);
    if (result >= 0) return;
    if (result !== EAGAIN) throw this.#error(result, 'mq_send');
    return BLOCKED;
  }

  #getattr(): Float64Array {
    const attributes = new Float64Array(4);
    const result = this.binding.posixAttributes(this.#fd, attributes);
    check(result, 'mq_getattr', { target: this.#name });
    return attributes;
  }

  #taken<T>(result: T | number): T | typeof BLOCKED {
    if (typeof result !== 'number') return result;
    if (result === EAGAIN) return BLOCKED;
    throw this.#error(result, 'mq_receive');
  }

  #error(result: number, syscall: string): IpcError {
    const hint = result === EBADF ? `it was opened with access '${this.#access}'` : undefined;
    return errorOf(result, syscall, { target: this.#name, hint });
  }
}

function priorityOf(options: PosixSendOptions | undefined): number {
  if (options === undefined) return 0;
  const { priority = 0 } = optionsObject<PosixSendOptions>(options);
  return integer(priority, 'options.priority', 0, MAX_PRIORITY);
}
