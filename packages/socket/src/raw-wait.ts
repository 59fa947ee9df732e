import { fstatSync } from 'node:fs';

import type { WaitOptions } from '@octoipc/core';
import {
  IpcError,
  BLOCKED,
  busyError,
  check,
  checkTimeout,
  descriptor,
  FdHandle,
  optionsObject,
  POLLIN,
  POLLOUT,
  waitOptions,
  waitSync,
  type Attempt,
  type Direction,
} from '@octoipc/core/kit';

import { binding } from './binding.js';

/**
 * Those who wait for a descriptor that is nobody's handle.
 *
 * Lifetime: from the first wait to the last one's end. It works on a duplicate: whatever happens to the
 * number, they wait for the same socket.
 */
class RawWaits extends FdHandle {
  users = 0;
  readonly #target: number;

  constructor(fd: number) {
    super(check(binding().duplicate(fd, true), 'fcntl', { target: fd }), binding());
    this.#target = fd;
  }

  run<T>(
    direction: Direction,
    attempt: Attempt<T>,
    options: WaitOptions,
    syscall: string,
  ): Promise<T> {
    const details = { syscall, target: this.#target };
    return this.queue(direction).run(attempt, options, { details });
  }

  isWaiting(direction: Direction): boolean {
    return this.waiting(direction) > 0;
  }

  protected override describe(): { syscall: string; target: number } {
    return { syscall: 'poll', target: this.#target };
  }
}

const waits = new Map<number, RawWaits>();

/** Those who wait for what has this number now: it may have been closed, and given to another one, meanwhile. */
function waitsOf(fd: number): RawWaits | undefined {
  const waiting = waits.get(fd);
  if (waiting === undefined || isSameFile(fd, waiting.fd)) return waiting;
  waits.delete(fd);
  return undefined;
}

function isSameFile(fd: number, copy: number): boolean {
  try {
    const [one, other] = [fstatSync(fd), fstatSync(copy)];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}

/** One call on a descriptor, in its three flavours. */
export interface RawCall<T> {
  readonly fd: number;
  readonly syscall: string;
  readonly direction: Direction;
  /** One try on the descriptor that it is given. */
  readonly attempt: (fd: number) => T | typeof BLOCKED;
}

/** Waits until the call succeeds, first come, first served. */
export async function rawWait<T>(call: RawCall<T>, options: WaitOptions | undefined): Promise<T> {
  const { fd, direction, attempt, syscall } = call;
  const wait = waitOptions(options);
  wait.signal?.throwIfAborted();
  descriptor(fd);
  let waiting = waitsOf(fd);
  if (waiting?.isWaiting(direction) !== true) {
    const result = attempt(fd);
    if (result !== BLOCKED) return result;
  }
  waiting ??= new RawWaits(fd);
  waits.set(fd, waiting);
  waiting.users += 1;
  const { fd: copy } = waiting;
  try {
    return await waiting.run(direction, () => attempt(copy), wait, syscall);
  } finally {
    waiting.users -= 1;
    if (waiting.users === 0) {
      waiting.close();
      if (waits.get(fd) === waiting) waits.delete(fd);
    }
  }
}

/** Tries once; undefined where it would have to wait, or others wait already. */
export function rawTry<T>(call: RawCall<T>): T | undefined {
  descriptor(call.fd);
  if (waitsOf(call.fd)?.isWaiting(call.direction) === true) return undefined;
  const result = call.attempt(call.fd);
  return result === BLOCKED ? undefined : result;
}

/** Blocks this thread until the call succeeds. */
export function rawSync<T>(
  call: RawCall<T>,
  options: { readonly timeout?: number | undefined } | undefined,
): T {
  const { fd, direction, attempt, syscall } = call;
  const { timeout } = optionsObject(options);
  checkTimeout(timeout);
  descriptor(fd);
  const details = { syscall, target: fd };
  if (waitsOf(fd)?.isWaiting(direction) === true) throw busyError(details);
  const events = direction === 'readable' ? POLLIN : POLLOUT;
  const sleep = (milliseconds: number): number => binding().poll(fd, events, milliseconds);
  return waitSync(() => attempt(fd), sleep, timeout, { details });
}

/** Closes a descriptor; those who wait for it are told. */
export function rawClose(fd: number): void {
  descriptor(fd);
  const waiting = waitsOf(fd);
  waits.delete(fd);
  waiting?.close();
  const result = binding().closeUnowned(fd);
  if (result === NOT_OURS) {
    throw new IpcError('EBUSY', {
      syscall: 'close',
      target: fd,
      hint: 'a handle owns this descriptor: close that',
    });
  }
  check(result, 'close', { target: fd });
}

/** -EBUSY. */
const NOT_OURS = -16;
