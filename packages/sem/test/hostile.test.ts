import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

import { Condition, Mutex, PosixSemaphore, RwLock, SysvSemaphoreSet } from '@octoipc/sem';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshKey, freshName, mutex, named, semaphore } from './objects.js';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const noTracer = spawnSync('strace', ['-V']).error !== undefined;
if (noTracer) console.log('skipped: strace is not installed');

/** A path in /dev/shm, which goes with the test. */
function path(prefix: string): string {
  const made = `/dev/shm/${prefix}${freshName().slice(1)}`;
  onTestFinished(() => unlinkSync(made));
  return made;
}

test('list() outlives a file that is cut short while it is looked at', async () => {
  const name = freshName();
  semaphore({ value: 3 }, name);
  const peer = Peer.node(new URL('./fixtures/listing.mjs', import.meta.url), [name]);
  const { signal, stdout } = await peer.ended;
  expect(signal).toBeNull();
  expect(JSON.parse(stdout)).toMatchObject({ name, value: null });
});

test.each([
  { kind: Mutex, prefix: 'mutex.' },
  { kind: PosixSemaphore, prefix: 'sem.' },
])('list() passes over links and pipes that have the name of one: $prefix', ({ kind, prefix }) => {
  const loop = path(prefix);
  symlinkSync(loop, loop);
  const pipe = path(prefix);
  execFileSync('mkfifo', [pipe]);
  const names = kind.list().map(({ name }) => `/dev/shm/${prefix}${name.slice(1)}`);
  expect(names).not.toContain(loop);
  expect(names).not.toContain(pipe);
});

test('list() reads of a file no more than a lock', () => {
  const name = freshName();
  mutex({}, name);
  truncateSync(`/dev/shm/mutex.${name.slice(1)}`, 3 * 2 ** 30);
  expect(Mutex.list().find((one) => one.name === name)).toMatchObject({ owner: null });
});

test('a number of slots that cannot be is not believed', async () => {
  const name = freshName();
  const [lock, other] = [named(RwLock, {}, name), named(RwLock, {}, name)];
  const file = openSync(`/dev/shm/rwlock.${name.slice(1)}`, 'r+');
  onTestFinished(() => closeSync(file));
  const reading = await other.readLock();
  writeSync(file, Uint32Array.of(5000), 0, 4, 48);
  expect(lock.tryWriteLock()).toBeNull();
  reading.unlock();
  (await lock.writeLock()).unlock();
  expect(lock.readers).toEqual([]);
  writeSync(file, Uint32Array.of(0xffff_ffff), 0, 4, 48);
  (await other.writeLock()).unlock();
});

test.each(['once', 'always'])(
  'who cannot watch a word, %s, looks at it, and keeps nothing when it is over',
  async (often) => {
    const name = freshName();
    const made = semaphore({}, name);
    const peer = Peer.node(new URL('./fixtures/unwatched.mjs', import.meta.url), [name, often]);
    expect(await peer.line()).toBe('waiting');
    made.release(2);
    expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
    expect(peer.stdout).toContain('ETIMEDOUT true');
  },
);

interface Wasm {
  Memory: new (options: { initial: number }) => { buffer: ArrayBuffer };
}

const unshared = {
  'an ArrayBuffer': () => new ArrayBuffer(64),
  'one that can be cut short': () =>
    Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]) as ArrayBuffer,
  'a view of one': () => new Float64Array(16),
  'a Buffer': () => Buffer.alloc(64).subarray(0, 64),
  'WebAssembly memory': () => {
    const { Memory } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
    return new Memory({ initial: 1 });
  },
};

test.each(Object.entries(unshared))('at() refuses memory that may go: %s', (_what, make) => {
  const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as TypeError;
  const memory = make() as ArrayBuffer;
  expect(() => PosixSemaphore.at(memory, 0, { init: true })).toThrow(refused);
  expect(() => Mutex.at(memory, 0, { init: true })).toThrow(refused);
});

test('at() takes a SharedArrayBuffer that grows', () => {
  const memory = Reflect.construct(SharedArrayBuffer, [64, { maxByteLength: 2 ** 20 }]) as {
    grow(bytes: number): void;
  };
  const made = Mutex.at(memory as unknown as SharedArrayBuffer, 0, { init: true });
  onTestFinished(() => made.close());
  memory.grow(2 ** 20);
  made.tryLock()?.unlock();
  expect(made.owner).toBeNull();
});

const mixed = [
  { index: 0, delta: -1 },
  { index: 1, delta: -1, noWait: true },
];
function pair(...values: number[]): SysvSemaphoreSet {
  const made = SysvSemaphoreSet.open('private', { temporary: true, values });
  onTestFinished(() => made.close());
  return made;
}

test('operations of which one must not wait are EAGAIN when it would, beside one that waits', async () => {
  const set = pair(1, 0);
  await expect(set.operate(mixed)).rejects.toThrow(code('EAGAIN'));
  await expect(set.operate(mixed, { timeout: 0 })).rejects.toThrow(code('EAGAIN'));
  expect(set.values).toEqual([1, 0]);
  // It waits for the first, and is told of the second only when that is there.
  const other = pair(0, 0);
  const waits = other.operate(mixed);
  await expect(other.operate(mixed, { timeout: 0 })).rejects.toThrow(code('ETIMEDOUT'));
  expect(other.tryOperate([{ index: 0, delta: 1 }])).toBe(true);
  await expect(waits).rejects.toThrow(code('EAGAIN'));
  expect(other.values).toEqual([1, 0]);
});

test.each(['{}', '{ timeout: 30_000 }', '{ timeout: 0 }'])(
  'the same, blocking: %s',
  async (options) => {
    const set = pair(1, 0);
    const script = `
      import { SysvSemaphoreSet } from '@octoipc/sem';
      const set = SysvSemaphoreSet.fromId(${set.id});
      try { set.operateSync(${JSON.stringify(mixed)}, ${options}); } catch (error) { console.log(error.code); }`;
    const peer = Peer.start(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('.', import.meta.url),
    });
    expect((await peer.ended).stdout).toBe('EAGAIN\n');
    expect(() => pair(0, 0).operateSync(mixed, { timeout: 1 })).toThrow(code('ETIMEDOUT'));
  },
);

test.skipIf(noTracer).each([
  ['EPERM', 'EPERM'],
  ['EINVAL', 'EIDRM'],
])(
  'open() of a set of which nothing can be known ends: %s',
  (what, told) => {
    const key = freshKey();
    const set = SysvSemaphoreSet.open(key, { temporary: true });
    onTestFinished(() => set.close());
    const script = `
    import { SysvSemaphoreSet } from '@octoipc/sem';
    try { SysvSemaphoreSet.open(${key}); } catch (error) { console.log(error.code); }`;
    const inject = ['-f', '-o', '/dev/null', '-e', `inject=semctl:error=${what}`];
    const node = [process.execPath, '--input-type=module', '-e', script];
    const { stdout } = spawnSync('strace', [...inject, ...node], {
      cwd: new URL('.', import.meta.url),
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    expect(stdout).toBe(`${told}\n`);
  },
  90_000,
);

test('list() tells the name by which a lock is opened, whatever its file says', () => {
  const name = freshName();
  mutex({}, name);
  const file = openSync(`/dev/shm/mutex.${name.slice(1)}`, 'r+');
  onTestFinished(() => closeSync(file));
  for (const inside of [Buffer.from('/another\0'), Buffer.alloc(256, 'x'), Buffer.alloc(256)]) {
    writeSync(file, inside, 0, inside.length, 64);
    const names = Mutex.list().map((one) => one.name);
    expect(names).toContain(name);
    expect(names).not.toContain('/another');
  }
});

test('at() takes memory of another realm', () => {
  const memory = runInNewContext('new SharedArrayBuffer(64)') as SharedArrayBuffer;
  const made = Mutex.at(memory, 0, { init: true });
  onTestFinished(() => made.close());
  made.tryLock()?.unlock();
  expect(made.owner).toBeNull();
  const private_ = runInNewContext('new ArrayBuffer(64)') as ArrayBuffer;
  expect(() => Mutex.at(private_, 0, { init: true })).toThrow(code('ERR_INVALID_ARG_TYPE'));
});

/** What a program prints whose system calls are traced, or answered otherwise. */
function traced(how: readonly string[], script: string): { stdout: string; trace: string } {
  const file = join(tmpdir(), `octoipc-trace${freshName().slice(1)}`);
  onTestFinished(() => rmSync(file, { force: true }));
  // The time of strace alone would leave the program behind.
  const node = [
    'timeout',
    '-s',
    'KILL',
    '30',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const { stdout } = spawnSync('strace', ['-f', '-o', file, ...how, ...node], {
    cwd: new URL('.', import.meta.url),
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { stdout, trace: readFileSync(file, 'utf8') };
}

test.skipIf(noTracer)(
  'a system that would tell nobody of the death of an owner gives no locks, and leaves none',
  () => {
    const name = freshName();
    const script = `
      import * as sem from '@octoipc/sem';
      for (const kind of ['Mutex', 'RwLock', 'Condition', 'Barrier']) {
        for (const options of [{ temporary: true }, { create: true }]) {
          try {
            sem[kind].open('${name}', { parties: 2, ...options });
          } catch (error) {
            const made = sem[kind].list().filter(({ name }) => name === '${name}');
            console.log(kind, error.code, error.syscall, made.length);
          }
        }
      }`;
    const how = ['-e', 'trace=set_robust_list', '-e', 'inject=set_robust_list:error=ENOSYS'];
    const told = ['Mutex', 'RwLock', 'Condition', 'Barrier'].flatMap((kind) => {
      const line = `${kind} ENOSYS set_robust_list 0\n`;
      return [line, line];
    });
    expect(traced(how, script).stdout).toBe(told.join(''));
  },
  90_000,
);

test.skipIf(noTracer)(
  'at() takes no wake from who waits for a semaphore in the memory',
  () => {
    const script = `
      import { PosixSemaphore } from '@octoipc/sem';
      import { SharedMemory } from '@octoipc/shm';
      const memory = SharedMemory.memfd({ size: 8192 });
      PosixSemaphore.at(memory, 4096, { init: true });
      console.log('made');`;
    const { stdout, trace } = traced(['-e', 'trace=futex,mremap'], script);
    expect(stdout).toBe('made\n');
    expect(trace).toMatch(/mremap\(\S+, 0, /);
    expect(trace).not.toMatch(/FUTEX_WAIT, 0, \{tv_sec=0, tv_nsec=0\}/);
  },
  90_000,
);

test.skipIf(noTracer)(
  'a wait is given up also where the kernel has no memory for that at first',
  () => {
    const script = `
      import { PosixSemaphore } from '@octoipc/sem';
      const made = PosixSemaphore.open('${freshName()}', { temporary: true });
      const controller = new AbortController();
      const wait = made.acquire({ signal: controller.signal });
      controller.abort(new Error('enough'));
      await wait.catch((error) => console.log(error.message));`;
    const how = ['-e', 'trace=io_uring_enter', '-e', 'inject=io_uring_enter:error=EAGAIN:when=2'];
    expect(traced(how, script).stdout).toBe('enough\n');
  },
  90_000,
);

test('a condition that lacks a thread leaves no mapping', () => {
  const name = freshName();
  named(Condition, {}, name);
  const script = `
    import { readFileSync } from 'node:fs';
    import { createRequire } from 'node:module';
    const native = createRequire(process.cwd() + '/script.js')('../build/Release/sem.node');
    native.keeperOpen = () => -11;
    const { Condition } = await import('@octoipc/sem');
    try {
      Condition.open('${name}');
    } catch (error) {
      console.log(error.code, readFileSync('/proc/self/maps', 'utf8').includes('condition.'));
    }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('.', import.meta.url),
    encoding: 'utf8',
  });
  expect(stdout).toBe('EAGAIN false\n');
});
