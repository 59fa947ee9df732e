import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, truncateSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Mutex, RwLock, type Guard } from '@octoipc/sem';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, mutex, named, unlinkIfThere } from './objects.js';

const fixture = new URL('./fixtures/held-locks.mjs', import.meta.url);
/** So long is waited for what comes at once, or never. */
const PATIENCE = { timeout: 20_000 };

const NAMESPACE = ['-p', '-f', '--mount-proc', '--kill-child'];
const noNamespaces =
  spawnSync('unshare', [...NAMESPACE, 'sh', '-c', 'echo 99 > /proc/sys/kernel/ns_last_pid'])
    .status !== 0;
if (noNamespaces) console.log('skipped: no pid namespace can be made here');

test('whose owner dies is told of, whatever became of locks that it had open beside', async () => {
  const name = freshName();
  const other = freshName();
  const made = mutex({}, name);
  mutex({}, other);
  const owner = Peer.node(fixture, ['bystanders', name, other]);
  expect(await owner.line()).toBe('holds');
  truncateSync(`/dev/shm/mutex.${other.slice(1)}`, 0);
  owner.child.kill('SIGKILL');
  const guard = await made.lock(PATIENCE);
  expect(guard.recovered).toEqual({ pid: owner.pid });
  guard.markConsistent();
  guard.unlock();
}, 60_000);

test.each(['0', '2', '0,2', '1,3', '0,1,2,3'])(
  'of four locks that were held at once those that were not let go are told of: %s',
  async (left) => {
    const names = Array.from({ length: 4 }, () => freshName());
    const all = names.map((name) => mutex({}, name));
    const owner = Peer.node(fixture, ['many', names.join(','), left]);
    expect(await owner.line()).toBe('holds');
    owner.child.kill('SIGKILL');
    await owner.ended;
    for (const [index, one] of all.entries()) {
      const guard = await one.lock(PATIENCE);
      const told = left.split(',').includes(String(index)) ? { pid: owner.pid } : null;
      expect({ index, told: guard.recovered }).toEqual({ index, told });
      guard.markConsistent();
      guard.unlock();
    }
  },
  60_000,
);

test.skipIf(noNamespaces)(
  'a thread of the same id in another pid namespace is somebody else, alive or dead',
  async () => {
    const name = freshName();
    const made = mutex({}, name);
    const table = named(RwLock, {}, name);
    const start = (scene: string): Peer => {
      const script = [process.execPath, fileURLToPath(fixture), scene, name, '5000'];
      return Peer.start('unshare', [...NAMESPACE, ...script]);
    };
    const holder = start('hold');
    expect(await holder.line()).toBe('holds');
    const visitor = start('visit');
    expect(await visitor.line()).toBe('ETIMEDOUT,ETIMEDOUT,null');
    expect(await visitor.ended).toMatchObject({ code: 0, stderr: '' });
    expect([made.owner?.alive, made.tryLock(), table.tryWriteLock()]).toEqual([true, null, null]);
    holder.tell('go');
    expect(await holder.line()).toBe('true,true,undefined,undefined');
    const guard = await made.lock(PATIENCE);
    expect(guard.recovered).toBeNull();
    guard.unlock();
  },
  60_000,
);

/** Where a lock says who is inside, and by which thread: docs/layout.md. */
const THEIRS = [4, 52];

test('unlock() leaves a lock as it is that somebody else has', () => {
  const name = freshName();
  const made = mutex({}, name);
  const file = openSync(`/dev/shm/mutex.${name.slice(1)}`, 'r+');
  onTestFinished(() => closeSync(file));
  const word = new Uint32Array(1);
  // A lock of which this thread is not the owner any more: the first thread of this process is.
  const lost = (): Guard => {
    const guard = made.lockSync();
    writeSync(file, Uint32Array.of(process.pid), 0, 4, 0);
    for (const at of THEIRS) writeSync(file, Uint32Array.of(4711), 0, 4, at);
    return guard;
  };
  const untouched = (): void => {
    for (const at of THEIRS) {
      readSync(file, word, 0, 4, at);
      expect(word[0]).toBe(4711);
    }
  };
  const guard = lost();
  expect(() => guard.unlock()).toThrow(expect.objectContaining({ code: 'EPERM' }) as Error);
  expect(guard.held).toBe(false);
  untouched();
  readSync(file, word, 0, 4, 0);
  expect(word[0]).toBe(process.pid);
  writeSync(file, Uint32Array.of(0), 0, 4, 0);
  const second = lost();
  second.poison();
  untouched();
  readSync(file, word, 0, 4, 0);
  expect(word[0]).toBe(process.pid);
});

const take = {
  'Mutex.lock': (name: string) => Mutex.open(name).lock(),
  'RwLock.writeLock': (name: string) => RwLock.open(name).writeLock(),
  'RwLock.readLock': (name: string) => RwLock.open(name).readLock(),
};

test.each(Object.entries(take))(
  'a lock is held while its guard is there, whose handle nobody else has kept: %s',
  async (_call, lock) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const name = freshName();
    const made = mutex({}, name);
    const table = named(RwLock, {}, name);
    const guard = await lock(name);
    for (let i = 0; i < 10; i++) {
      collect();
      await setImmediate();
    }
    expect(guard.held).toBe(true);
    expect([made.owner !== null, table.tryWriteLock() === null]).toContain(true);
    guard.unlock();
    (guard as unknown as { handle: { close(): void } }).handle.close();
    unlinkIfThere(Mutex, name);
  },
);
