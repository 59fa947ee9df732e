import { readFileSync } from 'node:fs';

import type { Bytes } from '@octoipc/core';
import { BLOCKED, errorOf, IpcError, unsupportedError, valueError } from '@octoipc/core/kit';

import { binding, type MqBinding } from './binding.js';
import { E2BIG, EACCES, EAGAIN, EIDRM, EINVAL, ENOMSG, ENOSYS, EPERM } from './errno.js';
import { messageBytes } from './message.js';
import { handBack, handOut, receiveAll, roomFor, roomOf } from './slab.js';
import type { SysvMessage } from './sysv-message.js';
import { suits, type Selector } from './sysv-selector.js';
import { readMaxBytes } from './sysv-status.js';

const makeMessage = (data: Buffer, type: number): SysvMessage => ({ data, type });

/** A message's type stands before its bytes, at a multiple of its size. */
const TYPE_ROOM = 16;

/** A message may have been sent when kernel.msgmax was higher: then the room is doubled up to this. */
const MOST_ROOM = 0x4000_0000;

const DEFAULT_MSGMAX = 8192;

/** Where a native call takes milliseconds. */
const WITHOUT_WAITING = -1;

/** So many messages are sent before the queue's size is looked at again. */
const LOOKS = 64;

/**
 * The calls on one System V queue, none of which waits, unless it says so.
 *
 * Lifetime: as long as the handle, which calls nothing once it is closed: its id may be another queue's
 * then.
 */
export class SysvCalls {
  readonly binding: MqBinding;
  readonly id: number;
  /** How errors name the queue. */
  readonly target: string;
  readonly #mainThread: boolean;
  #limit: number | undefined;
  /** Bytes that a message to come may have; 0: kernel.msgmax. */
  #room = 0;
  #maxBytes = 0;
  #looks = 0;
  /** Empty messages that could not be given back: this handle's own, before what is in the queue. */
  readonly #kept: SysvMessage[] = [];

  constructor(id: number, target: string) {
    this.binding = binding();
    this.#mainThread = this.binding.mainThread === 1;
    this.id = id;
    this.target = target;
  }

  /** The longest message that can be sent: kernel.msgmax, which is read when it is first needed. */
  get maxMessageSize(): number {
    return (this.#limit ??= messageLimit());
  }

  /**
   * The oldest message that suits.
   *
   * @param milliseconds - how long this thread is blocked at most while there is none; 0 is for ever
   */
  takeOne(
    selector: Selector,
    milliseconds: number = WITHOUT_WAITING,
  ): SysvMessage | typeof BLOCKED {
    if (this.#kept.length > 0) {
      const kept = this.#takeKept(selector);
      if (kept !== undefined) return kept;
    }
    return this.#takeOne(selector, milliseconds);
  }

  #takeOne(selector: Selector, milliseconds: number): SysvMessage | typeof BLOCKED {
    const { into } = selector;
    for (;;) {
      const room = this.#roomFor(selector);
      if (into !== undefined && into.length < room) {
        throw valueError('options.into', 'was detached or resized while it waited', into);
      }
      const found = into === undefined ? roomFor(room + TYPE_ROOM) : roomOf(into);
      this.#tell(found, selector, room, 1, milliseconds);
      const { binding: native } = this;
      const result = into === undefined ? native.sysvReceive() : native.sysvReceiveBare();
      if (result > 0) {
        const type = found[2]!;
        return { data: into === undefined ? handOut(found, 0) : handBack(found, into), type };
      }
      if (this.#isNone(result, selector, room)) return BLOCKED;
    }
  }

  /** All messages that suit, in their order. */
  takeAll(selector: Selector, max: number): SysvMessage[] | typeof BLOCKED {
    const kept = this.#takeKept(selector);
    if (kept !== undefined) return [kept];
    for (;;) {
      const room = this.#roomFor(selector);
      const receive = (found: Float64Array, most: number): number => {
        this.#tell(found, selector, room, most, WITHOUT_WAITING);
        return this.binding.sysvReceive();
      };
      const result = receiveAll(room + TYPE_ROOM, max, receive, makeMessage);
      if (typeof result !== 'number') return result;
      if (this.#isNone(result, selector, room)) return BLOCKED;
    }
  }

  /** How long one blocking call sleeps at most; 0 is for ever, which costs no timer. */
  slice(milliseconds: number, timeout: number | undefined): number {
    return this.sleepsForEver(timeout) ? 0 : milliseconds;
  }

  /** Whether a blocking call may sleep for as long as it takes. */
  sleepsForEver(timeout: number | undefined): boolean {
    return (timeout === undefined || timeout === Infinity) && this.#mainThread;
  }

  /** A copy of the message at an index; null if there is none. */
  peek(index: number): SysvMessage | null {
    const selector: Selector = {
      type: index,
      flags: this.binding.copy,
      key: '',
      maxBytes: undefined,
      into: undefined,
    };
    const message = this.#takeOne(selector, WITHOUT_WAITING);
    return message === BLOCKED ? null : message;
  }

  /** The bytes of a message that is to be sent, checked. */
  bytesOf(message: Bytes): Uint8Array {
    // What is known has passed that check.
    return this.binding.known.sent.isKnown(message) ? message : messageBytes(message);
  }

  /** Sends if there is room. */
  put(data: Uint8Array, type: number): void | typeof BLOCKED {
    const result = this.#send(data, type, WITHOUT_WAITING);
    if (result === EAGAIN) {
      this.#refuseWhatNeverFits(data.length);
      return BLOCKED;
    }
    if (result < 0) throw this.sendError(result, data.length);
  }

  /**
   * Whether a message of this length fits at all, as far as is known: the queue's size is looked at now
   * and then, since others may change it, as they may while somebody waits.
   */
  fits(length: number): boolean {
    if (this.#looks-- === 0) {
      this.#maxBytes = readMaxBytes(this.binding, this.id);
      this.#looks = LOOKS;
    }
    return length <= this.#maxBytes;
  }

  /** The queue's size was changed: it is looked at before the next message. */
  forgetSize(): void {
    this.#looks = 0;
  }

  /** Blocks this thread until there is room, or so many milliseconds are over. */
  putFor(data: Uint8Array, type: number, milliseconds: number): void | typeof BLOCKED {
    const result = this.#send(data, type, milliseconds);
    if (result === EAGAIN) return BLOCKED;
    if (result < 0) throw this.sendError(result, data.length);
  }

  /** An empty message that a wait has taken, and nobody wanted any more, for whoever comes next. */
  giveBack(type: number): void {
    const data = Buffer.alloc(0);
    if (this.#send(data, type, WITHOUT_WAITING) < 0) this.#kept.push({ data, type });
  }

  /** The error of a msgsnd that failed. */
  sendError(result: number, length: number): IpcError {
    const limit = messageLimit();
    if (result === EINVAL && length > limit) return this.#tooLong(length, limit, 'kernel.msgmax');
    return this.error(result, 'msgsnd');
  }

  /** The error of a call that failed; an id that is not known any more is a queue that was removed. */
  error(result: number, syscall: string): IpcError {
    const { target } = this;
    if (result === EINVAL || result === EIDRM) {
      return errorOf(EIDRM, syscall, {
        target,
        hint: 'somebody has removed the queue: open it again',
      });
    }
    return errorOf(result, syscall, { target, hint: HINTS[result] });
  }

  #takeKept(selector: Selector): SysvMessage | undefined {
    const index = this.#kept.findIndex(({ type }) => suits(selector, type));
    return index < 0 ? undefined : this.#kept.splice(index, 1)[0];
  }

  #send(data: Uint8Array, type: number, milliseconds: number): number {
    const { binding: native } = this;
    const { found, sent } = native.known;
    found[0] = this.id;
    found[1] = type;
    found[2] = milliseconds;
    return sent.isKnown(data) ? native.sysvSendAgain() : native.sysvSend(sent.know(data));
  }

  /** What a caller allows may be far more than what any message has. */
  #roomFor({ maxBytes = MOST_ROOM }: Selector): number {
    this.#room ||= this.maxMessageSize;
    return Math.min(maxBytes, this.#room);
  }

  #tell(
    found: Float64Array,
    { type, flags, maxBytes }: Selector,
    room: number,
    max: number,
    milliseconds: number,
  ): void {
    found[0] = this.id;
    found[2] = room;
    found[3] = max;
    found[4] = type;
    // Nothing is cut off for want of room alone.
    found[5] = room === maxBytes ? flags : flags & ~this.binding.noError;
    found[6] = milliseconds;
  }

  /** Whether there is none that suits; false to try again with the room that is there now. */
  #isNone(result: number, { maxBytes = MOST_ROOM }: Selector, room: number): boolean {
    if (result === ENOMSG || result === EAGAIN) return true;
    if (result === ENOSYS) {
      const hint = 'this kernel was built without CONFIG_CHECKPOINT_RESTORE';
      throw unsupportedError('MSG_COPY', { syscall: 'msgrcv', target: this.target, hint });
    }
    if (result !== E2BIG) throw this.error(result, 'msgrcv');
    if (room >= maxBytes) {
      const hint = `the message is longer than maxBytes (${maxBytes}) and stays in the queue: receive it with more, or with { truncate: true }`;
      throw errorOf(result, 'msgrcv', { target: this.target, hint });
    }
    this.#room *= 2;
    return false;
  }

  /** A message that is longer than the whole queue would wait for ever. */
  #refuseWhatNeverFits(length: number): void {
    const maxBytes = readMaxBytes(this.binding, this.id);
    if (maxBytes < 0 || length <= maxBytes) return;
    throw this.#tooLong(length, maxBytes, "the queue's maxBytes");
  }

  #tooLong(length: number, limit: number, what: string): IpcError {
    return new IpcError('EMSGSIZE', {
      syscall: 'msgsnd',
      target: this.target,
      hint: `the message has ${length} bytes, of ${limit} at most (${what}): send it in parts, or raise the limit`,
    });
  }
}

const HINTS: Readonly<Record<number, string>> = {
  [EACCES]:
    'the mode of the queue does not let this user do that: its owner may change it by setStat',
  [EPERM]: 'only the owner, the creator or root may do that',
};

function messageLimit(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/msgmax', 'latin1'));
  } catch {
    return DEFAULT_MSGMAX;
  }
}
