import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  codeOfErrno,
  descriptor,
  errorOf,
  integer,
  optionsObject,
  typeError,
  YIELD,
  type Attempt,
  type Operation,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { PipeReader } from './reader.js';

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

/** What a transfer has moved, and how it goes on. */
export class Progress implements Operation {
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly details: { syscall: Call; target: string };
  readonly #ends: readonly TransferEnd[];
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
    this.#ends = [from, to];
    this.#once = call === 'tee';
    this.details = { syscall: call, target: `${this.from} -> ${this.to}` };
  }

  /** One call: bytes moved, 0 at the end, -1 when it would wait. */
  step(): number {
    for (const end of this.#ends) fdOf(end, 'from or to');
    const { syscall } = this.details;
    const count = binding()[syscall](this.from, this.to, this.length - this.#moved);
    // A FIFO without a writer is not always at its end; its reader knows.
    if (count === 0 && this.#ends[0] instanceof PipeReader && !this.#ends[0].ended) return -1;
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

  readonly cancelled = (error: unknown): unknown => {
    if (typeof error === 'object' && error !== null && Object.isExtensible(error)) {
      Object.assign(error, { bytesWritten: this.#moved });
    }
    return error;
  };
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
