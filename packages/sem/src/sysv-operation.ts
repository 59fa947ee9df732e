import { integer, IpcError, optionalBoolean, typeError } from '@octoipc/core/kit';

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
  /** Which semaphores they are about, in order. */
  readonly indices: readonly number[];
}

/** Those who are about the same semaphores wait in one line: its name. */
export function laneOf({ indices }: Operations): string {
  return indices.join(',');
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
  const indices: number[] = [];
  let waits = false;
  for (let at = 0; at < all.length; at++) {
    const one = all[at];
    if (!isPlain(one)) checkOperation(one, `operations[${at}]`);
    const { index, delta, undo, noWait } = one as SysvOperation;
    numbers[3 * at] = index;
    numbers[3 * at + 1] = delta;
    numbers[3 * at + 2] =
      (undo === true ? native.SEM_UNDO : 0) | (noWait === true ? native.IPC_NOWAIT : 0);
    if (!indices.includes(index)) indices.push(index);
    waits ||= delta <= 0 && noWait !== true;
  }
  if (indices.length > 1) indices.sort((a, b) => a - b);
  return { numbers, waits, indices };
}

/** Whether nothing is wrong with an operation: what nearly all are, without a name for each. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { index, delta, undo, noWait } = value as SysvOperation;
  return (
    Number.isInteger(index) &&
    index >= 0 &&
    index <= MOST_INDEX &&
    Number.isInteger(delta) &&
    Math.abs(delta) <= MOST_DELTA &&
    (undo === undefined || typeof undo === 'boolean') &&
    (noWait === undefined || typeof noWait === 'boolean')
  );
}

/** Says what is wrong with an operation. */
function checkOperation(one: unknown, name: string): void {
  if (typeof one !== 'object' || one === null) throw typeError(name, 'an object', one);
  const { index, delta, undo, noWait } = one as SysvOperation;
  optionalBoolean(undo, `${name}.undo`);
  optionalBoolean(noWait, `${name}.noWait`);
  integer(index, `${name}.index`, 0, Number.MAX_SAFE_INTEGER);
  integer(delta, `${name}.delta`, -Number.MAX_SAFE_INTEGER);
  if (index > MOST_INDEX) throw new IpcError('EFBIG', { syscall: 'semop', hint: `${name}.index` });
  throw new IpcError('ERANGE', {
    syscall: 'semop',
    hint: `${name}.delta: a value is ${MOST_DELTA} at most`,
  });
}
