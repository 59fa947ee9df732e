import { randomBytes } from 'node:crypto';

import { isIpcError } from '@octoipc/core';
import { PosixQueue, SysvQueue, type PosixOpenOptions, type SysvOpenOptions } from '@octoipc/mq';
import { onTestFinished } from 'vitest';

/** RLIMIT_MSGQUEUE has room for nine queues of the usual size: those of tests are small. */
export const SMALL = { maxMessages: 4, maxMessageSize: 64 } as const;

/** A name that nobody uses. */
export function freshName(): string {
  return `/octoipc-test-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** A key that nobody uses, as far as that can be. */
export function freshKey(): number {
  return 0x0c70_0000 + randomBytes(2).readUInt16LE();
}

/** A queue for one test, under a name of its own. */
export function posix(options: PosixOpenOptions = {}, name = freshName()): PosixQueue {
  const queue = PosixQueue.open(name, { ...SMALL, create: true, exclusive: true, ...options });
  onTestFinished(() => {
    queue.close();
    if (exists(name)) PosixQueue.unlink(name);
  });
  return queue;
}

/** Another handle of a queue, for one test. */
export function again(queue: PosixQueue, options: PosixOpenOptions = {}): PosixQueue {
  const other = PosixQueue.open(queue.name, options);
  onTestFinished(() => other.close());
  return other;
}

/** A queue whose name is gone already. */
export function nameless(options: PosixOpenOptions = {}): PosixQueue {
  const name = freshName();
  const queue = PosixQueue.open(name, {
    maxMessages: 2,
    maxMessageSize: 1,
    create: true,
    exclusive: true,
    ...options,
  });
  PosixQueue.unlink(name);
  return queue;
}

/** Two handles of one queue whose name is gone already. */
export function pairOf(options: PosixOpenOptions = {}): {
  sender: PosixQueue;
  receiver: PosixQueue;
} {
  const name = freshName();
  const sender = PosixQueue.open(name, {
    maxMessages: 2,
    maxMessageSize: 1,
    create: true,
    exclusive: true,
    ...options,
  });
  const receiver = PosixQueue.open(name);
  PosixQueue.unlink(name);
  return { sender, receiver };
}

/** Whether there is a queue of this name. */
export function exists(name: string): boolean {
  try {
    PosixQueue.open(name, { access: 'receive' }).close();
    return true;
  } catch (error) {
    if (isIpcError(error, 'ENOENT')) return false;
    return true;
  }
}

/** A System V queue for one test. */
export function sysv(options: SysvOpenOptions = {}): SysvQueue {
  const queue = SysvQueue.open('private', { temporary: true, ...options });
  onTestFinished(() => queue.close());
  return queue;
}

/** Another handle of a System V queue, for one test. */
export function sysvAgain(queue: SysvQueue): SysvQueue {
  const other = SysvQueue.fromId(queue.id);
  onTestFinished(() => other.close());
  return other;
}

/** Turns of the event loop, so that whatever could happen by itself has happened. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Keeps the event loop from turning for so many milliseconds. */
export function beBusy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Whether a promise is still pending after some turns of the loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await turns();
  return !settled;
}

/** A System V queue with a message of each of these types, which says which one it is. */
export function filled(types: readonly number[]): SysvQueue {
  const queue = sysv();
  for (const [index, type] of types.entries()) queue.trySend(String(index), { type });
  return queue;
}
