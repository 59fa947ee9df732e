import type { Bytes } from '@octoipc/core';
import {
  BLOCKED,
  check,
  errorOf,
  integer,
  IpcError,
  optionsObject,
  rangeError,
  writableBytes,
  type Attempt,
} from '@octoipc/core/kit';

import { binding, type MqBinding } from './binding.js';
import { EAGAIN, EBADF } from './errno.js';
import { messageBytes } from './message.js';
import { MAX_PRIORITY } from './posix-limits.js';
import type { PosixAttributes, PosixMessage, PosixSendOptions } from './posix-message.js';
import type { OpenedQueue, PosixAccess } from './posix-open.js';
import { handBack, handOut, receiveAll, roomFor, roomOf } from './slab.js';

const makeMessage = (data: Buffer, priority: number): PosixMessage => ({ data, priority });

/** A message that is being sent, as a queue of waiters takes it. */
interface Sending {
  readonly attempt: Attempt<void>;
  readonly queued: () => void;
}

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
    this.#sleeps = adopted || native.mainThread !== 1 ? undefined : false;
  }

  readonly takeOne = (): PosixMessage | typeof BLOCKED => this.take(undefined, false);

  /**
   * Takes a message.
   *
   * @param into - where to, if not to memory of its own
   * @param sleeping - whether to sleep in the call while there is none
   */
  take(into: Uint8Array | undefined, sleeping: boolean): PosixMessage | typeof BLOCKED {
    const found = into === undefined ? roomFor(this.maxMessageSize) : roomOf(into);
    const result = this.#receive(found, 1, sleeping);
    if (result < 0) return this.#untaken(result);
    const priority = found[2]!;
    return { data: into === undefined ? handOut(found, 0) : handBack(found, into), priority };
  }

  takeAll(max: number): PosixMessage[] | typeof BLOCKED {
    const result = receiveAll(
      this.maxMessageSize,
      max,
      (found, most) => this.#receive(found, most, false),
      makeMessage,
    );
    return typeof result === 'number' ? this.#untaken(result) : result;
  }

  /**
   * Memory of a caller's, which must have room for any message.
   *
   * @throws {RangeError} ERR_OUT_OF_RANGE when it has less: the kernel would refuse the call
   */
  memory(into: Uint8Array): Uint8Array {
    const memory = writableBytes(into, 'options.into');
    if (memory.length >= this.maxMessageSize && memory.length > 0) return memory;
    throw rangeError(
      'options.into.length',
      `at least the queue's maxMessageSize, ${this.maxMessageSize}`,
      memory.length,
    );
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

  /**
   * Sends.
   *
   * @param sleeping - whether to sleep in the call while the queue is full; whoever shares the open file
   *   description may have forbidden that meanwhile
   */
  put(
    message: Bytes,
    options: Omit<PosixSendOptions, 'signal'> | undefined,
    sleeping = false,
  ): void | typeof BLOCKED {
    return this.#put(this.#checked(message), priorityOf(options), sleeping);
  }

  /**
   * The attempt to send a message.
   *
   * @param message - what is sent; copied as it queues, since others may change it then
   * @param options - its priority
   */
  sending(message: Bytes, options: PosixSendOptions | undefined): Sending {
    let data = this.#checked(message);
    const priority = priorityOf(options);
    return {
      attempt: () => this.#put(data, priority),
      queued: () => {
        if (typeof message !== 'string') data = Uint8Array.prototype.slice.call(data);
      },
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

  #put(data: Uint8Array, priority: number, sleeping = false): void | typeof BLOCKED {
    const result = this.#send(data, priority, sleeping);
    if (result >= 0) return;
    if (result !== EAGAIN) throw this.#error(result, 'mq_send');
    return BLOCKED;
  }

  #send(data: Uint8Array, priority: number, sleeping: boolean): number {
    const { binding: native } = this;
    const { found, sent } = native.known;
    found[0] = this.#fd;
    found[1] = priority;
    found[2] = sleeping ? 1 : 0;
    return sent.isKnown(data) ? native.posixSendAgain() : native.posixSend(sent.know(data));
  }

  #receive(found: Float64Array, max: number, sleeping: boolean): number {
    found[0] = this.#fd;
    found[2] = this.maxMessageSize;
    found[3] = max;
    found[4] = sleeping ? 1 : 0;
    return this.binding.posixReceive();
  }

  #getattr(): Float64Array {
    const attributes = new Float64Array(4);
    const result = this.binding.posixAttributes(this.#fd, attributes);
    check(result, 'mq_getattr', { target: this.#name });
    return attributes;
  }

  #untaken(result: number): typeof BLOCKED {
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
