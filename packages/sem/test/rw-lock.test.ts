import { RwLock } from '@octoipc/sem';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, isPending, named, until } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const code = (name: string) => expect.objectContaining({ code: name }) as Error;

describe('RwLock', () => {
  test('many read at once, of several handles; who writes is alone', async () => {
    const name = freshName();
    const [one, two] = [named(RwLock, {}, name), named(RwLock, {}, name)];
    const guards = [await one.readLock(), await one.readLock(), two.readLockSync()];
    expect(one.readers).toEqual([process.pid]);
    expect(two.tryWriteLock()).toBeNull();
    const write = two.writeLock();
    expect(await isPending(write)).toBe(true);
    for (const guard of guards) guard.unlock();
    const guard = await write;
    expect(one.owner).toEqual({ pid: process.pid, alive: true });
    expect(one.tryReadLock()).toBeNull();
    guard.unlock();
    one.tryReadLock()?.unlock();
  });

  test('who wants to write comes before those who read later; if he gives up, they go on', async () => {
    const name = freshName();
    const [one, two] = [named(RwLock, {}, name), named(RwLock, {}, name)];
    const reading = await one.readLock();
    const controller = new AbortController();
    const write = two.writeLock({ signal: controller.signal });
    expect(one.tryReadLock()).toBeNull();
    const later = one.readLock();
    expect(await isPending(later)).toBe(true);
    controller.abort();
    await expect(write).rejects.toBe(controller.signal.reason);
    (await later).unlock();
    reading.unlock();
    two.tryWriteLock()?.unlock();
  });

  test('a reader that is killed does not stand in the way', async () => {
    const name = freshName();
    const lock = named(RwLock, {}, name);
    const peer = Peer.node(fixture, ['lock', name, 'read']);
    await peer.line();
    expect(lock.readers).toEqual([peer.pid]);
    const write = lock.writeLock();
    expect(await isPending(write)).toBe(true);
    peer.child.kill('SIGKILL');
    const guard = await write;
    expect(guard.recovered).toBeNull();
    guard.unlock();
  });

  test('after a writer that is killed, who reads is told, and who writes repairs', async () => {
    const name = freshName();
    const lock = named(RwLock, {}, name);
    const peer = Peer.node(fixture, ['lock', name, 'write']);
    await peer.line();
    const read = lock.readLock();
    expect(await isPending(read)).toBe(true);
    peer.child.kill('SIGKILL');
    const reading = await read;
    expect(reading.recovered).toEqual({ pid: peer.pid });
    expect(() => reading.markConsistent()).toThrow(code('EPERM'));
    expect(() => reading.poison()).toThrow(code('EPERM'));
    reading.unlock();
    expect(() => reading.unlock()).toThrow(code('EPERM'));
    const guard = await lock.writeLock();
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.markConsistent();
    guard.unlock();
    expect(lock.tryReadLock()?.recovered).toBeNull();
  });

  test('who gives up after a dead writer leaves that to the next', async () => {
    const name = freshName();
    const [lock, other] = [named(RwLock, {}, name), named(RwLock, {}, name)];
    const peer = Peer.node(fixture, ['lock', name, 'write']);
    await peer.line();
    peer.child.kill('SIGKILL');
    const reading = await lock.readLock();
    await expect(other.writeLock({ timeout: 5 })).rejects.toThrow(code('ETIMEDOUT'));
    expect(other.tryWriteLock()).toBeNull();
    reading.unlock();
    const guard = await other.writeLock();
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.poison();
    await expect(lock.readLock()).rejects.toThrow(code('ENOTRECOVERABLE'));
    await expect(lock.writeLock()).rejects.toThrow(code('ENOTRECOVERABLE'));
    expect(RwLock.reset(name)).toBe(true);
    lock.tryReadLock()?.unlock();
  });

  test('blocking for oneself is EDEADLK', () => {
    const lock = named(RwLock);
    const reading = lock.readLockSync();
    expect(() => lock.writeLockSync()).toThrow(code('EDEADLK'));
    reading.unlock();
    const writing = lock.writeLockSync();
    expect(() => lock.readLockSync()).toThrow(code('EDEADLK'));
    writing.unlock();
    lock.readLockSync({ timeout: 0 }).unlock();
  });

  test('reading again is EDEADLK for who would block while somebody waits for him to end', async () => {
    const name = freshName();
    const lock = named(RwLock, {}, name);
    const reading = lock.readLockSync();
    lock.readLockSync().unlock();
    const peer = Peer.node(fixture, ['lock', name, 'write']);
    await until(() => {
      const guard = lock.tryReadLock();
      guard?.unlock();
      return guard === null;
    });
    const again = RwLock.open(name);
    onTestFinished(() => again.close());
    for (const handle of [lock, again]) {
      expect(() => handle.readLockSync({ timeout: 60_000 })).toThrow(code('EDEADLK'));
      expect(() => handle.writeLockSync({ timeout: 60_000 })).toThrow(code('EDEADLK'));
    }
    // Who does not block can still let go of what he has.
    const later = lock.readLock();
    reading.unlock();
    await peer.line();
    peer.tell('unlock');
    (await later).unlock();
  });

  test('readers of other processes keep a blocking writer out until they end', async () => {
    const name = freshName();
    const lock = named(RwLock, {}, name);
    const peers = [1, 2].map(() => Peer.node(fixture, ['lock', name, 'read']));
    for (const peer of peers) await peer.line();
    expect(() => lock.writeLockSync({ timeout: 10 })).toThrow(code('ETIMEDOUT'));
    await until(() => lock.readers.length === 2);
    peers[0]?.tell('unlock');
    peers[1]?.tell('exit');
    lock.writeLockSync().unlock();
  });
});
