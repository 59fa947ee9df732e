import { createRequire } from 'node:module';

import { FdHandle, loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The functions of native/kit_test.cc. */
export interface KitBinding extends DescriptorBinding {
  int32(value: unknown): number;
  uint32(value: unknown): number;
  int64(value: unknown): number;
  bool(value: unknown): number;
  stringSize(value: unknown): number;
  checksum(bytes: unknown): number;
  bytesSize(bytes: unknown): number;
  fill(integers: unknown, value: number): number;
  fail(errno: number): number;
  interrupted(times: number): number;
  interruptedThen(errno: number): number;
  closeByScope(fd: number): number;
  closeByMove(fd: number, replaced: number): number;
  keptByRelease(fd: number): number;
  closeByReset(fd: number): number;
  errnoAfterClose(): number;
  cleanedUp(dismiss: boolean): number;
  threadStart(wait: number, object: number): number;
  threadDone(index: number): number;
  threadResult(index: number): number;
  threadCancel(index: number): number;
  drop(index: number): number;
  bellOpen(fd: Int32Array): number;
  bellAnswer(bell: number, who: Int32Array): number;
  ringOnce(bell: number, who: number): number;
  silenceBell(bell: number): number;
  callOpen(bell: number, who: number): number;
  callBegin(call: number, wait: number, object: number): number;
  callResult(call: number): number;
  callStop(call: number): number;
  pipe(ends: Int32Array): number;
  setBlocking(fd: number): number;
  setInheritable(fd: number): number;
  read(fd: number, into: Uint8Array): number;
  write(fd: number, from: Uint8Array): number;
  messageQueue(): number;
  send(queue: number): number;
  removeQueue(queue: number): number;
  semaphore(): number;
  removeSemaphore(id: number): number;
  readonly poller: number;
  readonly reader: number;
  readonly msgrcv: number;
  readonly semop: number;
  readonly futex: number;
  readonly none: number;
}

export const kit = loadBinding<KitBinding>(
  createRequire(import.meta.url).resolve('../package.json'),
  'kit_test',
);

/** The descriptors of a new pipe, both non-blocking and owned by the binding. */
export function pipe(): { reader: number; writer: number } {
  const ends = new Int32Array(2);
  if (kit.pipe(ends) < 0) throw new Error('pipe2 failed');
  return { reader: ends[0]!, writer: ends[1]! };
}

/** A handle over one of them, as the packages make theirs. */
export class Handle extends FdHandle {
  constructor(fd: number) {
    super(fd, kit);
  }

  wait(direction: 'readable' | 'writable') {
    return this.queue(direction);
  }

  waiters(direction: 'readable' | 'writable'): number {
    return this.waiting(direction);
  }

  protected override describe() {
    return { syscall: 'test' };
  }
}
