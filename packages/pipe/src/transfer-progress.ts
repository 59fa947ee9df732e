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
   * blocking mode must be a handle's, whose end nobody else uses at that moment.
   */
  get needsNoThread(): boolean {
    const [source, sink] = this.#types;
    return isOnLoop(this.#source, source) && isOnLoop(this.#sink, sink);
  }

  /** One call: bytes moved, 0 at the end, -1 when it would wait, or overtake who waits to write. */
  step(): number {
    const [from, to] = [fdOf(this.#source, 'from'), fdOf(this.#sink, 'to')];
    const native = binding();
    if (hasWaiters(this.#sink)) return -1;
    const [source, sink] = [roomOf(from, this.#types[0]), roomOf(to, this.#types[1])];
    if (source.waits || sink.waits) {
      if (native.poll(from, POLLIN, 0) === 0 || native.poll(to, POLLOUT, 0) === 0) return -1;
    }
    const most = Math.min(this.length - this.#moved, sink.bytes);
    const { syscall } = this.details;
    const count = native[syscall](from, to, most);
    // A FIFO without a writer is not always at its end; its reader knows.
    if (count === 0 && isReader(this.#source) && !this.#source.ended) return -1;
    if (count >= 0) return count;
    if (codeOfErrno(count) === 'EAGAIN') return -1;
    throw errorOf(count, syscall, {
      target: this.details.target,
      hint: codeOfErrno(count) === 'EINVAL' ? HINTS[syscall] : undefined,
      bytesWritten: this.#moved,
    });
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

/** What one splice(2) with SPLICE_F_NONBLOCK, which speaks of pipes only, does with an end. */
interface Room {
  /** Whether it waits, unless poll(2) says first that the end is ready. */
  readonly waits: boolean;
  /** How many bytes it moves to a ready end without a wait. */
  readonly bytes: number;
}

/** Asked anew for each call, since whoever shares a socket may change its mode. */
function roomOf(fd: number, type: number): Room {
  if (type === constants.S_IFIFO) return { waits: false, bytes: Infinity };
  if (type === constants.S_IFREG) return { waits: true, bytes: Infinity };
  const native = binding();
  const bytes =
    type === constants.S_IFSOCK ? check(native.streamRoom(fd), 'splice', { target: fd }) : 0;
  return { waits: bytes < native.chunk, bytes: bytes === 0 ? CAREFUL : bytes };
}

function isOnLoop(end: TransferEnd, type: number): boolean {
  const { waits, bytes } = roomOf(fdOf(end, 'end'), type);
  return !waits || (type === constants.S_IFSOCK && bytes > CAREFUL && typeof end === 'object');
}

function typeOf(fd: number): number {
  return check(binding().fileType(fd), 'fstat', { target: fd });
}
