import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Condition, Mutex, PosixSemaphore, RwLock } from '@octoipc/sem';
import { SharedMemory, SysvSharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, isPending } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const SIZE = 65_536;

/** Where things are in the memory; the fixture has the same. */
const AT = { semaphore: 64, mutex: 128, table: 4096, condition: 24_576 } as const;

/** Memory of every kind, and how the fixture finds it; `fd` is given to it as 3. */
const kinds = {
  memfd() {
    const memory = SharedMemory.memfd({ size: SIZE });
    return { memory, args: ['memfd', '3'], fd: memory.fd };
  },
  POSIX() {
    const name = freshName();
    const memory = SharedMemory.open(name, { temporary: true, size: SIZE });
    return { memory, args: ['posix', name], fd: 'ignore' as const };
  },
  'a mapped file'() {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-memory-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'memory');
    const memory = SharedMemory.file(path, { create: true, size: SIZE });
    return { memory, args: ['file', path], fd: 'ignore' as const };
  },
  'System V'() {
    const memory = SysvSharedMemory.open('private', { temporary: true, size: SIZE });
    return { memory, args: ['sysv', String(memory.id)], fd: 'ignore' as const };
  },
};

test.each(Object.keys(kinds) as (keyof typeof kinds)[])(
  'SEM-033: at() in %s is shared with another process, whose death is told of',
  async (kind) => {
    const { memory, args, fd } = kinds[kind]();
    const semaphore = PosixSemaphore.at(memory, AT.semaphore, { init: true });
    const mutex = Mutex.at(memory, AT.mutex, { init: true });
    const table = RwLock.at(memory, AT.table, { init: true });
    const condition = Condition.at(memory, AT.condition, { init: true });
    onTestFinished(() =>
      [semaphore, mutex, table, condition, memory].forEach((one) => one.close()),
    );
    const peer = Peer.node(fixture, ['at', ...args], { stdio: ['pipe', 'pipe', 'pipe', fd] });
    expect(await peer.line()).toBe('waiting');
    semaphore.release();
    expect(await peer.line()).toBe('acquired, locked, waits');
    expect(mutex.owner).toBeNull();
    expect(condition.notify()).toBe(1);
    expect(await peer.line()).toBe('notified');
    expect(mutex.owner).toEqual({ pid: peer.pid, alive: true });
    expect(table.readers).toEqual([peer.pid]);
    // The memory's own handle is not needed any more.
    memory.close();
    const lock = mutex.lock();
    const write = table.writeLock();
    expect([await isPending(lock), await isPending(write)]).toEqual([true, true]);
    peer.child.kill('SIGKILL');
    const guard = await lock;
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.markConsistent();
    guard.unlock();
    (await write).unlock();
  },
);
