import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { BLOCKED, FdSource, POLLERR, POLLHUP, POLLIN, POLLOUT, Readiness } from '@octoipc/core/kit';
import { expect, onTestFinished, test } from 'vitest';

import { Handle, kit, pipe } from './kit-binding.js';

const FD = 10;

/** What a source asks of its readiness, and how much keeps the process alive. */
class Asked {
  readonly log: string[] = [];
  kept = 0;
  /** Whether descriptors can be polled by themselves. */
  levels = true;
  /** Whether they can be by a second number. */
  secondNumbers = false;

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

  standIn(_fd: number, _slot: number, events: number): boolean {
    this.log.push(`stand in ${events}`);
    return this.secondNumbers;
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
  expect(asked.log.slice(4)).toEqual(['remove', 'unwatch', 'give']);
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
  expect(asked.log).toEqual(['add', 'remove', 'unwatch', 'give']);
});

test('FdSource in the set also ends the poll that rested when it could not go on', () => {
  const asked = new Asked();
  const fd = source(asked);
  taker(fd);
  fd.dispatch(POLLIN);
  fd.dispatch(POLLIN);
  asked.levels = false;
  taker(fd);
  expect(asked.log.slice(1)).toEqual(['watch 0', 'add']);
  fd.dispose();
  expect(asked.log.slice(3)).toEqual(['remove', 'unwatch', 'give']);
});

/** So many waits, each of which is told of its edge. */
function converse(fd: FdSource, waits: number): void {
  for (let i = 0; i < waits; i++) {
    taker(fd);
    fd.dispatch(POLLIN);
  }
}

test('FdSource has a descriptor of the set polled by a second number when one wait followed the other', () => {
  const asked = new Asked();
  asked.levels = false;
  asked.secondNumbers = true;
  const fd = source(asked);
  converse(fd, 15);
  // An edge that nobody waited for begins the count anew.
  fd.dispatch(POLLIN);
  converse(fd, 15);
  expect(asked.log).toEqual(['add']);
  taker(fd);
  fd.dispatch(POLLIN);
  expect(asked.log).toEqual(['add', 'stand in 0', 'remove']);
  asked.levels = true;
  taker(fd);
  expect([asked.log.at(-1), fd.readable.tellsLevels]).toEqual([`watch ${POLLIN}`, true]);
  fd.dispose();
  expect(asked.log.slice(4)).toEqual(['unwatch', 'give']);
});

test('FdSource asks for a second number once, and stays in the set where there is none', () => {
  const asked = new Asked();
  asked.levels = false;
  const fd = source(asked);
  converse(fd, 100);
  expect([asked.log, fd.readable.tellsLevels]).toEqual([['add', 'stand in 0'], false]);
});

test('FdSource never gives a second number to what went to the set since reports helped nobody', () => {
  const asked = new Asked();
  asked.secondNumbers = true;
  const fd = source(asked);
  fd.readable.listen(() => undefined);
  for (let i = 0; i < 3; i++) fd.dispatch(POLLIN);
  fd.readable.rest();
  converse(fd, 100);
  expect(asked.log.slice(1)).toEqual(['unwatch', 'give', 'add']);
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

test('readinessWatch polls the number that it is told, whatever the slot polled before', () => {
  const readiness = Readiness.of(kit);
  if (readiness.mode !== 'loop') return;
  const [first, second] = [pipe(), pipe()];
  const handles = [first, second].flatMap(({ reader, writer }) => [reader, writer]);
  const all = handles.map((fd) => new Handle(fd));
  onTestFinished(() => all.forEach((handle) => handle.close()));
  const slot = readiness.take(source(new Asked()));
  onTestFinished(() => readiness.give(slot));
  expect(readiness.watch(first.reader, slot, 0)).toBe(true);
  expect(readiness.watch(second.reader, slot, POLLIN)).toBe(true);
  // The old one can be polled by another again: nothing of the slot is left on it.
  const other = readiness.take(source(new Asked()));
  onTestFinished(() => readiness.give(other));
  expect(readiness.watch(first.reader, other, POLLIN)).toBe(true);
  readiness.unwatch(slot);
  readiness.unwatch(other);
});

/** The status flags of a descriptor. */
function flagsOf(fd: number): number {
  return parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!, 8);
}

/** How many descriptors there are of the pipe that this one is an end of. */
function numbersOf(fd: number): number {
  const inode = readlinkSync(`/proc/self/fd/${fd}`);
  return readdirSync('/proc/self/fd').filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === inode;
    } catch {
      // The descriptor of the folder itself is gone by now.
      return false;
    }
  }).length;
}

test('readinessStandIn polls what is in blocking mode, and leaves it so', async () => {
  const readiness = Readiness.of(kit);
  const { reader, writer } = pipe();
  const handles = [new Handle(reader), new Handle(writer)];
  onTestFinished(() => handles.forEach((handle) => handle.close()));
  expect(kit.setBlocking(reader)).toBe(0);
  const flags = flagsOf(reader);
  let resolve!: (mask: number) => void;
  const told = new Promise<number>((onResolve) => (resolve = onResolve));
  const slot = readiness.take({ dispatch: resolve } as unknown as FdSource);
  onTestFinished(() => readiness.give(slot));
  // What is not in the set may be what epoll cannot watch.
  expect(readiness.standIn(reader, slot, POLLIN)).toBe(false);
  readiness.add(reader, slot);
  const polls = readiness.mode === 'loop';
  expect(readiness.standIn(reader, slot, POLLIN)).toBe(polls);
  readiness.remove(reader);
  if (!polls) return;
  expect([numbersOf(reader), flagsOf(reader)]).toEqual([3, flags]);
  readiness.keep(1);
  kit.write(writer, Buffer.from('x'));
  expect(await told).toBe(POLLIN);
  readiness.keep(-1);
  readiness.unwatch(slot);
  expect([numbersOf(reader), flagsOf(reader)]).toEqual([2, flags]);
});

test('a descriptor in blocking mode is waited for a hundred times, and closing it is the end of the pipe', async () => {
  const { reader, writer } = pipe();
  const [from, to] = [new Handle(reader), new Handle(writer)];
  onTestFinished(() => [from, to].forEach((handle) => handle.close()));
  kit.setBlocking(reader);
  const flags = flagsOf(reader);
  const target = Buffer.alloc(1);
  const attempt = () => (kit.poll(reader, POLLIN, 0) === 0 ? BLOCKED : kit.read(reader, target));
  for (let i = 0; i < 100; i++) {
    const read = from.wait('readable').run(attempt, {}, { details: { syscall: 'read' } });
    kit.write(writer, Buffer.from([i]));
    expect([await read, target[0]]).toEqual([1, i]);
  }
  expect(flagsOf(reader)).toBe(flags);
  from.close();
  expect(numbersOf(writer)).toBe(1);
});
