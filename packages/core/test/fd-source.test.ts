import { FdSource, POLLERR, POLLHUP, POLLIN, POLLOUT, Readiness } from '@octoipc/core/kit';
import { expect, onTestFinished, test } from 'vitest';

import { Handle, kit, pipe } from './kit-binding.js';

const FD = 10;

/** What a source asks of its readiness, and how much keeps the process alive. */
class Asked {
  readonly log: string[] = [];
  kept = 0;
  /** Whether descriptors can be polled by themselves. */
  levels = true;

  take(): number {
    return 0;
  }

  give(): void {
    this.log.push('give');
  }

  watch(_fd: number, _slot: number, events: number): boolean {
    if (this.levels) this.log.push(`watch ${events}`);
    return this.levels;
  }

  unwatch(): void {
    this.log.push('unwatch');
  }

  add(): void {
    this.log.push('add');
  }

  remove(): void {
    this.log.push('remove');
  }

  keep(change: number): void {
    this.kept += change;
  }
}

function source(asked: Asked): FdSource {
  return new FdSource(asked as unknown as Readiness, FD);
}

/** One who takes what is there, and waits no more. */
function taker({ readable }: FdSource): () => boolean {
  const wake = (): boolean => {
    readable.rest();
    return true;
  };
  readable.listen(wake);
  return wake;
}

test('FdSource polls once for waits that follow each other', () => {
  const asked = new Asked();
  const fd = source(asked);
  for (let i = 0; i < 20; i++) {
    taker(fd);
    expect(asked.kept).toBe(1);
    fd.dispatch(POLLIN);
    expect(asked.kept).toBe(0);
  }
  expect(asked.log).toEqual([`watch ${POLLIN}`]);
  fd.dispose();
  expect(asked.log.slice(1)).toEqual(['unwatch', 'give']);
});

test('FdSource stops polling when something comes that nobody waits for, until the next wait', () => {
  const asked = new Asked();
  const fd = source(asked);
  taker(fd);
  fd.dispatch(POLLIN);
  expect(fd.readable.tellsLevels).toBe(true);
  fd.dispatch(POLLIN);
  expect([asked.log.at(-1), fd.readable.tellsLevels]).toEqual(['watch 0', false]);
  taker(fd);
  expect(asked.log.at(-1)).toBe(`watch ${POLLIN}`);
});

test('FdSource polls for both directions, and drops the one that nobody waits for any more', () => {
  const asked = new Asked();
  const fd = source(asked);
  taker(fd);
  const { writable } = fd;
  writable.listen(() => {
    writable.rest();
    return true;
  });
  expect(asked.log.at(-1)).toBe(`watch ${POLLIN | POLLOUT}`);
  fd.dispatch(POLLOUT);
  fd.dispatch(POLLOUT);
  expect(asked.log.at(-1)).toBe(`watch ${POLLIN}`);
});

test('FdSource goes to the epoll set when reports help nobody, and stays there', () => {
  const asked = new Asked();
  const fd = source(asked);
  let wakes = 0;
  // As for a FIFO's persistent reader, whose last writer has left.
  fd.readable.listen(() => void (wakes += 1));
  for (let i = 0; i < 3; i++) fd.dispatch(POLLIN);
  expect([wakes, asked.log.slice(1)]).toEqual([3, ['unwatch', 'give', 'add']]);
  fd.dispatch(POLLIN | POLLHUP);
  fd.readable.rest();
  taker(fd);
  fd.dispatch(POLLIN);
  expect([wakes, asked.log.length]).toEqual([4, 4]);
  fd.dispose();
  expect(asked.log.slice(4)).toEqual(['remove', 'give']);
});

test('FdSource tells everyone of an error, and polls anew for who still waits', () => {
  const asked = new Asked();
  const fd = source(asked);
  let told = 0;
  fd.writable.listen(() => {
    told += 1;
    return true;
  });
  fd.dispatch(POLLERR);
  expect([told, asked.log]).toEqual([1, [`watch ${POLLOUT}`, `watch ${POLLOUT}`]]);
});

test('FdSource uses the epoll set where a descriptor cannot be polled by itself', () => {
  const asked = new Asked();
  asked.levels = false;
  const fd = source(asked);
  taker(fd);
  expect([asked.log, fd.readable.tellsLevels]).toEqual([['add'], false]);
  fd.dispatch(POLLIN);
  // Edges that nobody waits for cost nothing for a while.
  for (let i = 0; i < 7; i++) fd.dispatch(POLLIN);
  expect(asked.log).toEqual(['add']);
  fd.dispatch(POLLIN);
  expect(asked.log).toEqual(['add', 'remove', 'give']);
});

test('FdSource disposed of by whom it woke asks for nothing more', () => {
  const asked = new Asked();
  const fd = source(asked);
  fd.readable.listen(() => {
    fd.readable.rest();
    fd.dispose();
  });
  fd.dispatch(POLLIN);
  expect([asked.kept, asked.log]).toEqual([0, [`watch ${POLLIN}`, 'unwatch', 'give']]);
});

test('readinessWatch refuses what is in blocking mode, in the loop already, or closed', () => {
  const readiness = Readiness.of(kit);
  const { reader, writer } = pipe();
  const handles = [new Handle(reader), new Handle(writer)];
  onTestFinished(() => handles.forEach((handle) => handle.close()));
  const other = source(new Asked());
  const slots = [readiness.take(other), readiness.take(other)];
  onTestFinished(() => slots.forEach((slot) => readiness.give(slot)));
  const polls = readiness.mode === 'loop';
  expect(readiness.watch(reader, slots[0]!, POLLIN)).toBe(polls);
  expect(readiness.watch(reader, slots[1]!, POLLIN)).toBe(false);
  readiness.unwatch(slots[0]!);
  expect(readiness.watch(reader, slots[1]!, POLLIN)).toBe(polls);
  readiness.unwatch(slots[1]!);
  expect(kit.setBlocking(reader)).toBe(0);
  expect(readiness.watch(reader, slots[0]!, POLLIN)).toBe(false);
  expect(readiness.watch(1_000_000, slots[0]!, POLLIN)).toBe(false);
});
