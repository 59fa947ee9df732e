import { constants } from 'node:fs';

import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  codeOfErrno,
  descriptor,
  errorOf,
  integer,
  IpcError,
  optionsObject,
  POLLIN,
  POLLOUT,
  tellBytesWritten,
  typeError,
  YIELD,
  type Attempt,
  type Operation,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import type { PipeReader } from './reader.js';
import type { PipeWriter } from './writer.js';

/** Where bytes come from or go to: a handle of ours, or a descriptor (file, pipe, socket). */
export type TransferEnd = number | { readonly fd: number };

/** What a transfer takes. */
export interface TransferOptions extends WaitOptions {
  /** How many bytes; fewer come only at the end of the source. @default Infinity */
  readonly length?: number | undefined;
}

/** Which system call moves the bytes. */
export type Call = 'splice' | 'tee';

const { S_IFIFO, S_IFREG, S_IFSOCK } = constants;

/** After so many bytes in a row a transfer lets the event loop turn. */
const BURST = 4 * 1024 * 1024;

/** As much as a destination that may block has room for if poll(2) says that it has any. */
const CAREFUL = 4096;

/** What a transfer has moved, and how it goes on. */
export class Progress implements Operation {
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly details: { syscall: Call; target: string };
  readonly #types: readonly [source: number, sink: number];
  readonly #source: TransferEnd;
  readonly #sink: TransferEnd;
  readonly #once: boolean;
  #moved = 0;

  constructor(
    call: Call,
    from: TransferEnd,
    to: TransferEnd,
    options: { readonly length?: number | undefined } | undefined,
  ) {
    const { length = Infinity } = optionsObject(options);
    if (length !== Infinity) integer(length, 'options.length');
    this.length = Math.min(length, Number.MAX_SAFE_INTEGER);
    this.from = fdOf(from, 'from');
    this.to = fdOf(to, 'to');
    this.#source = from;
    this.#sink = to;
    this.#types = [typeOf(this.from), typeOf(this.to)];
    if (isReader(from) && from.hasReturned) {
      throw new IpcError('EBUSY', {
        syscall: call,
        target: this.from,
        hint: 'readAll() or lines() gave bytes back: read them first',
      });
    }
    this.#once = call === 'tee';
    this.details = { syscall: call, target: `${this.from} -> ${this.to}` };
  }

  /**
   * Whether it can go on without a thread, waiting for readiness on the event loop: between pipes and stream sockets. One in
   * blocking mode must be a handle's, since we do not know who else uses a bare descriptor.
   */
  get needsNoThread(): boolean {
    const [source, sink] = this.#types;
    return isOnLoop(this.#source, source) && isOnLoop(this.#sink, sink);
  }

  /** How many bytes were moved so far. */
  get moved(): number {
    return this.#moved;
  }

  /** One call: bytes moved, 0 at the end, -1 when it would wait, or overtake who waits to write. */
  step(): number {
    const [from, to] = [fdOf(this.#source, 'from'), fdOf(this.#sink, 'to')];
    const [source, sink] = this.#types;
    const native = binding();
    if (hasWaiters(this.#sink)) return -1;
    const room = roomOf(to, sink);
    if (source !== S_IFIFO || room.waits) {
      if (native.poll(from, POLLIN, 0) === 0 || native.poll(to, POLLOUT, 0) === 0) return -1;
    }
    const most = Math.min(this.length - this.#moved, room.bytes);
    const { syscall } = this.details;
    const sockets = source === S_IFSOCK || sink === S_IFSOCK;
    const count =
      syscall === 'splice' ? native.splice(from, to, most, sockets) : native.tee(from, to, most);
    if (count > 0) return count;
    // A FIFO without a writer is not always at its end; its reader knows.
    if (count === 0 && isReader(this.#source) && !this.#source.ended) return -1;
    if (count === 0 || codeOfErrno(count) === 'EAGAIN') {
      if (source === S_IFSOCK && native.isAtMark(from) === 1)
        throw atMark(this.details, this.#moved);
      return count === 0 ? 0 : -1;
    }
    throw this.#error(count);
  }

  #error(errno: number): IpcError {
    const { syscall, target } = this.details;
    const hint = codeOfErrno(errno) === 'EINVAL' ? HINTS[syscall] : undefined;
    return errorOf(errno, syscall, { target, hint, bytesWritten: this.#moved });
  }

  readonly attempt: Attempt<number> = () => {
    const stop = this.#moved + BURST;
    while (this.#moved < this.length) {
      if (this.#moved >= stop) return YIELD;
      const count = this.step();
      if (count < 0) return BLOCKED;
      this.#moved += count;
      if (count === 0 || this.#once) break;
    }
    return this.#moved;
  };

  /** So many bytes were moved by others. */
  count(moved: number): void {
    this.#moved = moved;
  }

  readonly cancelled = (error: unknown): unknown => tellBytesWritten(error, this.#moved);
}

const HINTS: Readonly<Record<Call, string>> = {
  splice:
    'one end must be a pipe, not the same one twice, and the destination not opened for appending',
  tee: 'both ends must be pipes, and not the same one',
};

/** The error of a stream that stands at urgent data. */
export function atMark(details: Operation['details'], bytesWritten: number): IpcError {
  const hint =
    'urgent data (MSG_OOB) stand next in the stream, which splice(2) does not pass: receive them by themselves';
  return new IpcError('ENOTSUP', { ...details, hint, bytesWritten });
}

/** The descriptor of an end. */
export function fdOf(end: TransferEnd, name: string): number {
  if (typeof end === 'number') return descriptor(end, name);
  if (typeof end !== 'object' || end === null || !('fd' in end)) {
    throw typeError(name, 'a descriptor or a handle with one', end);
  }
  return descriptor(end.fd, `${name}.fd`);
}

/** A reader of this package, of whichever copy of it. */
export function isReader(end: TransferEnd): end is PipeReader {
  return typeof end === 'object' && 'isReadable' in end && 'readableSync' in end;
}

/** A writer of this package, of whichever copy of it. */
export function isWriter(end: TransferEnd): end is PipeWriter {
  return typeof end === 'object' && 'tryWriteAtomic' in end && 'writable' in end;
}

/** Whether somebody waits on a handle. */
export function hasWaiters(end: TransferEnd): boolean {
  return typeof end === 'object' && 'hasWaiters' in end && end.hasWaiters === true;
}

/** What one splice(2) with SPLICE_F_NONBLOCK, which speaks of pipes only, does with a destination. */
interface Room {
  /** Whether it waits, unless poll(2) says first that the end is ready. */
  readonly waits: boolean;
  /** How many bytes it moves to a ready end without a wait. */
  readonly bytes: number;
}

/** Asked anew for each call, since whoever shares a socket may change its mode. */
function roomOf(fd: number, type: number): Room {
  if (type === S_IFIFO) return { waits: false, bytes: Infinity };
  if (type === S_IFREG) return { waits: true, bytes: Infinity };
  const bytes = type === S_IFSOCK ? streamRoom(fd) : 0;
  return { waits: bytes < binding().chunk, bytes: bytes === 0 ? CAREFUL : bytes };
}

function streamRoom(fd: number): number {
  return check(binding().streamRoom(fd), 'splice', { target: fd });
}

function isOnLoop(end: TransferEnd, type: number): boolean {
  if (type === S_IFIFO) return true;
  if (type !== S_IFSOCK) return false;
  const room = streamRoom(fdOf(end, 'end'));
  return room === binding().chunk || (room > 0 && typeof end === 'object' && 'onClosed' in end);
}

function typeOf(fd: number): number {
  return check(binding().fileType(fd), 'fstat', { target: fd });
}
