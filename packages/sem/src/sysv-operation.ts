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

/**
 * Operations that were checked, as the binding takes them.
 *
 * Lifetime: `numbers` is where the binding is told of them, until the next are checked; who waits keeps a copy.
 */
export interface Operations {
  readonly numbers: Int32Array;
  readonly count: number;
  /** Whether they can have to wait. */
  readonly waits: boolean;
  /** Whether one beside those that wait would rather fail. */
  readonly mixed: boolean;
}

/** Of an operation. */
const NUMBERS = 3;

/** A copy, which stays. */
export function kept({ numbers, count, waits, mixed }: Operations): Operations {
  return { numbers: numbers.slice(0, NUMBERS * count), count, waits, mixed };
}

/** Tells the binding of operations, if it was not. */
export function tell({ known }: SemBinding, { numbers, count }: Operations): number {
  if (numbers !== known.told) known.told.set(numbers);
  return count;
}

/**
 * Whether the kernel would refuse operations for one that must not wait, which it makes in their order.
 *
 * @param values - of all semaphores
 */
export function isRefused(
  { IPC_NOWAIT }: SemBinding,
  { numbers, count }: Operations,
  values: Int32Array,
): boolean {
  const now = values.slice();
  for (let at = 0; at < NUMBERS * count; at += NUMBERS) {
    const [index = 0, delta = 0, flags = 0] = numbers.subarray(at, at + NUMBERS);
    const value = now[index]!;
    if (delta === 0 ? value !== 0 : value + delta < 0) return (flags & IPC_NOWAIT) !== 0;
    now[index] = value + delta;
  }
  return false;
}

/** Which semaphores they are about, in order. */
export function indicesOf({ numbers, count }: Operations): number[] {
  const all = Array.from({ length: count }, (_, at) => numbers[NUMBERS * at]!);
  return [...new Set(all)].toSorted((a, b) => a - b);
}

/** Whether one of them is about one of these semaphores. */
export function isAbout({ numbers, count }: Operations, indices: readonly number[]): boolean {
  for (let at = 0; at < count; at++) if (indices.includes(numbers[NUMBERS * at]!)) return true;
  return false;
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
  const turn = ++turns;
  if (native.known.told.length < NUMBERS * all.length) makeRoom(native, all.length);
  const operations = checkedInto(native, native.known.told, all);
  if (turn === turns) return operations;
  // A getter of an operation has made operations of its own, there.
  const own = checkedInto(native, new Int32Array(NUMBERS * all.length), all);
  return { ...own, numbers: native.known.told, count: tell(native, own) };
}

/** How often operations were checked. */
let turns = 0;

/** The binding is told of a longer array. */
function makeRoom({ known, setTell }: SemBinding, count: number): void {
  const told = new Int32Array(NUMBERS * count);
  setTell(told);
  known.told = told;
}

function checkedInto(native: SemBinding, numbers: Int32Array, all: readonly unknown[]): Operations {
  const count = all.length;
  let waits = false;
  let fails = false;
  for (let at = 0; at < count; at++) {
    const one = all[at];
    if (!isPlain(one)) checkOperation(one, `operations[${at}]`);
    const { index, delta, undo, noWait } = one as SysvOperation;
    numbers[NUMBERS * at] = index;
    numbers[NUMBERS * at + 1] = delta;
    numbers[NUMBERS * at + 2] =
      (undo === true ? native.SEM_UNDO : 0) | (noWait === true ? native.IPC_NOWAIT : 0);
    waits ||= delta <= 0 && noWait !== true;
    fails ||= delta <= 0 && noWait === true;
  }
  return { numbers, count, waits, mixed: waits && fails };
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
