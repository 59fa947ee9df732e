import { IpcError } from '@octoipc/core';
import { integer, optionalBoolean, typeError } from '@octoipc/core/kit';

import type { SemBinding } from './binding.js';

/** One operation on one semaphore of a set. */
export interface SysvOperation {
  /** Which semaphore. */
  readonly index: number;
  /** Added if positive; taken, once there is so much, if negative; 0 waits until the value is 0. */
  readonly delta: number;
  /** Undone when this process ends, however it ends. @default false */
  readonly undo?: boolean | undefined;
  /** Do not wait for this one: `EAGAIN`. @default false */
  readonly noWait?: boolean | undefined;
}

/** Operations that were checked, as the binding takes them. */
export interface Operations {
  readonly numbers: Int32Array;
  /** Whether they can have to wait. */
  readonly waits: boolean;
  /** Which semaphores they are about: `0,3`. */
  readonly indices: ReadonlySet<number>;
  readonly lane: string;
}

const MOST_INDEX = 0xffff;
/** What a sem_op holds. */
const MOST_DELTA = 0x7fff;
/** SEMOPM of Linux; the kernel has the last word. */
const MOST = 100_000;

/** Checks operations. */
export function operationsOf(native: SemBinding, value: unknown): Operations {
  if (!Array.isArray(value)) throw typeError('operations', 'an array', value);
  const all = value as readonly unknown[];
  if (all.length === 0) throw new IpcError('EINVAL', { syscall: 'semop', hint: 'no operation' });
  if (all.length > MOST) throw new IpcError('E2BIG', { syscall: 'semop' });
  const numbers = new Int32Array(3 * all.length);
  const indices = new Set<number>();
  let waits = false;
  for (const [at, one] of all.entries()) {
    const name = `operations[${at}]`;
    if (typeof one !== 'object' || one === null) throw typeError(name, 'an object', one);
    const { index, delta, undo, noWait } = one as SysvOperation;
    optionalBoolean(undo, `${name}.undo`);
    optionalBoolean(noWait, `${name}.noWait`);
    integer(index, `${name}.index`, 0, Number.MAX_SAFE_INTEGER);
    integer(delta, `${name}.delta`, -Number.MAX_SAFE_INTEGER);
    if (index > MOST_INDEX)
      throw new IpcError('EFBIG', { syscall: 'semop', hint: `${name}.index` });
    if (Math.abs(delta) > MOST_DELTA) {
      throw new IpcError('ERANGE', {
        syscall: 'semop',
        hint: `${name}.delta: a value is ${MOST_DELTA} at most`,
      });
    }
    const flags = (undo === true ? native.SEM_UNDO : 0) | (noWait === true ? native.IPC_NOWAIT : 0);
    numbers.set([index, delta, flags], 3 * at);
    indices.add(index);
    waits ||= delta <= 0 && noWait !== true;
  }
  const lane = [...indices].toSorted((a, b) => a - b).join(',');
  return { numbers, waits, indices, lane };
}

/** The same, none of which waits. */
export function withoutWaiting(native: SemBinding, { numbers }: Operations): Int32Array {
  const copy = numbers.slice();
  for (let at = 2; at < copy.length; at += 3) copy[at]! |= native.IPC_NOWAIT;
  return copy;
}
