import { randomFillSync, randomFill } from 'node:crypto';
import { ftruncateSync, openSync, closeSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { SharedMemory, SysvSharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { closing, failure, memfd, posix, sysv } from './memories.js';
import { folder, runScript } from './scripts.js';

const PAGE = 4096;

test('SHM-017: SharedMemory gives zeroes and then ERR_TRUNCATED when a peer truncates the object', () => {
  const memory = memfd({ size: 8 * PAGE });
  const { bytes } = memory;
  bytes.fill(7);
  ftruncateSync(memory.fd, PAGE);
  expect([bytes[0], bytes[PAGE - 1]]).toEqual([7, 7]);
  expect([bytes[PAGE], bytes[8 * PAGE - 1]]).toEqual([0, 0]);
  bytes[2 * PAGE] = 9;
  expect(bytes[2 * PAGE]).toBe(9);
  for (let i = 0; i < 2; i++) expect(() => memory.bytes).toThrow(failure('ERR_TRUNCATED'));
  expect(() => memory.notify(0)).toThrow(failure('ERR_TRUNCATED'));
  memory.resize(2 * PAGE);
  expect([memory.bytes[0], memory.bytes[PAGE]]).toEqual([7, 0]);
});

test('SHM-018: bytes behind the end, within the last page, are zero', () => {
  const memory = memfd({ size: 100 });
  expect(memory.byteLength).toBe(100);
  memory.resize(PAGE);
  expect(memory.bytes.subarray(100).every((byte) => byte === 0)).toBe(true);
});

test('SharedMemory survives truncation whatever touches it: Atomics, fill, crypto, the thread pool', async () => {
  const touches: ((bytes: Uint8Array) => unknown)[] = [
    (bytes: Uint8Array) => Atomics.add(new Int32Array(bytes.buffer), PAGE, 1),
    (bytes: Uint8Array) => bytes.fill(1),
    (bytes: Uint8Array) => bytes.slice(),
    (bytes: Uint8Array) => Buffer.from(bytes.buffer).toString('latin1'),
    (bytes: Uint8Array) => void randomFillSync(bytes),
    (bytes: Uint8Array) =>
      promisify(randomFill as (b: Uint8Array, done: () => void) => void)(bytes),
  ];
  for (const touch of touches) {
    const memory = memfd({ size: 16 * PAGE });
    const { bytes } = memory;
    ftruncateSync(memory.fd, 1);
    await Promise.resolve(touch(bytes));
    void bytes[15 * PAGE];
    expect(() => memory.bytes).toThrow(failure('ERR_TRUNCATED'));
  }
});

test('what the kernel itself copies from or to such memory is EFAULT from Node, and the handle tells nothing', () => {
  const memory = memfd({ size: 4 * PAGE });
  const { bytes } = memory;
  ftruncateSync(memory.fd, 1);
  const fd = openSync(join(folder(), 'file'), 'w+');
  onTestFinished(() => closeSync(fd));
  expect(() => writeSync(fd, bytes, 2 * PAGE, PAGE)).toThrow(failure('EFAULT'));
  expect(memory.bytes).toBe(bytes);
  writeSync(fd, 'words');
  const object = memfd();
  const reader = closing(SharedMemory.fromFd(openSync(`/proc/self/fd/${object.fd}`, 'r')));
  expect(() => readSync(fd, reader.bytes, 0, 5, 0)).toThrow(failure('EFAULT'));
  expect([reader.bytes[0], object.bytes[0]]).toEqual([0, 0]);
});

test('a truncated object of many pages takes few mappings, from either end', () => {
  const memory = memfd({ size: 4096 * PAGE });
  const { bytes } = memory;
  ftruncateSync(memory.fd, 1);
  for (let page = 4095; page > 0; page--) bytes[page * PAGE] = 1;
  expect(bytes[PAGE]).toBe(1);
});

test.each([
  [
    'SHM-005',
    'POSIX memory',
    () => {
      const memory = posix();
      return [
        memory,
        closing(SharedMemory.fromFd(openSync(`/proc/self/fd/${memory.fd}`, 'r'))),
      ] as const;
    },
  ],
  [
    'SVSHM-007',
    'a System V segment',
    () => {
      const memory = sysv();
      return [memory, closing(SysvSharedMemory.fromId(memory.id, { readOnly: true }))] as const;
    },
  ],
] as const)(
  '%s SHM-032: a store through a read-only mapping of %s is undone, and EACCES once',
  (_, __, open) => {
    const [memory, reader] = open();
    memory.bytes[0] = 1;
    const { bytes } = reader;
    const words = new Int32Array(bytes.buffer, 0, 8);
    expect(bytes[0]).toBe(1);
    bytes[0] = 2;
    Atomics.add(words, 1, 1);
    Atomics.compareExchange(words, 2, 0, 1);
    expect(memory.bytes.subarray(0, 12)).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    expect(() => reader.bytes).toThrow(failure('EACCES'));
    expect(reader.bytes[0]).toBe(1);
    memory.bytes[0] = 3;
    expect(bytes[0]).toBe(3);
  },
);

test('SHM-029: a use after close() throws ERR_CLOSED, or sees nothing', () => {
  const memory = posix();
  const { bytes, shared } = memory;
  const words = memory.view(Int32Array);
  memory.close();
  memory.close();
  expect(bytes.length).toBe(shared ? 4096 : 0);
  expect(words[0]).toBe(shared ? 0 : undefined);
  words[0] = 1;
  for (const use of [
    () => memory.bytes,
    () => memory.buffer,
    () => memory.byteLength,
    () => memory.shared,
    () => memory.fd,
    () => memory.view(Uint8Array),
    () => memory.waitSync(0, 0),
    () => memory.notify(0),
    () => memory.sync(),
    () => memory.advise('normal'),
    () => memory.read(),
    () => memory.write(0, 'x'),
    () => memory.lockInMemory(),
    () => memory.unlockFromMemory(),
    () => memory.resize(1),
    () => memory.seal('shrink'),
    () => memory.seals,
  ]) {
    expect(use).toThrow(failure('ERR_CLOSED'));
  }
  expect(memory.closed).toBe(true);
});

test('SHM-037: close() while the thread pool fills the memory harms nobody', async () => {
  for (let round = 0; round < 20; round++) {
    const memory = SharedMemory.memfd({ size: 1 << 20 });
    const filling = promisify(randomFill as (b: Uint8Array, done: () => void) => void)(
      memory.bytes,
    );
    memory.close();
    await filling;
  }
});

test('SHM-037: close() while the thread pool faults in memory that ends or is read-only harms nobody', async () => {
  // In a process of its own, which a fault that nobody answers for would end.
  const ended = await runScript(`
    const { randomFill } = require('node:crypto');
    const { ftruncateSync, openSync } = require('node:fs');
    const { promisify } = require('node:util');
    const { SharedMemory } = require('@octoipc/shm');
    const fill = promisify(randomFill);
    (async () => {
      for (let round = 0; round < 2000; round++) {
        const memory = SharedMemory.memfd({ size: 1 << 14 });
        const reader = SharedMemory.fromFd(openSync('/proc/self/fd/' + memory.fd, 'r'), { readOnly: true });
        const filling = [fill(memory.bytes), fill(reader.bytes)];
        if (round % 2 === 0) ftruncateSync(memory.fd, 1);
        for (let spin = 0; spin < (round % 50) * 100; spin++);
        reader.close();
        memory.close();
        await Promise.all(filling);
      }
      console.log('survived');
    })();
  `);
  expect(ended).toMatchObject({ stdout: 'survived\n', code: 0, signal: null });
});

test('faults are survived in workers too, several at once', async () => {
  const code = `
    const { ftruncateSync } = require('node:fs');
    const { parentPort } = require('node:worker_threads');
    const { SharedMemory } = require('@octoipc/shm');
    const memory = SharedMemory.memfd({ size: 1 << 20 });
    const { bytes } = memory;
    ftruncateSync(memory.fd, 1);
    for (let i = 0; i < bytes.length; i += 512) bytes[i] = 1;
    try { memory.bytes; } catch (error) { parentPort.postMessage(error.code); }
    memory.close();
  `;
  const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true }));
  onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.terminate()))));
  const codes = await Promise.all(
    workers.map(
      (worker) =>
        new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    ),
  );
  expect(codes).toEqual(Array(4).fill('ERR_TRUNCATED'));
});

test('a fault that is not in our memory ends the process as ever, and WebAssembly traps as ever', async () => {
  const ours = `
    const { SharedMemory } = require('@octoipc/shm');
    globalThis.memory = SharedMemory.memfd({ size: 4096 });
    memory.bytes[0] = 1;
  `;
  // A module whose only function reads address 0x7fffffff of one page.
  const trap = `${ours}
    const bytes = [0,97,115,109,1,0,0,0,1,5,1,96,0,1,127,3,2,1,0,5,3,1,0,1,7,5,1,1,102,0,0,10,13,1,11,0,65,255,255,255,255,7,40,2,0,11];
    const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
    try { instance.exports.f(); } catch (error) { console.log(error.constructor.name); }
  `;
  expect(await runScript(trap)).toMatchObject({ stdout: 'RuntimeError\n', code: 0 });
  for (const signal of ['SIGSEGV', 'SIGBUS']) {
    const killed = `${ours} process.kill(process.pid, '${signal}'); setTimeout(() => {}, 10_000);`;
    expect(await runScript(killed)).toMatchObject({ signal });
  }
});

test('a handler that was installed later is called for its own faults, and ours again after the next mapping', async () => {
  const { stdout, signal } = await runScript(`
    const { ftruncateSync } = require('node:fs');
    const { SharedMemory } = require('@octoipc/shm');
    SharedMemory.memfd({ size: 4096 }).close();
    process.on('SIGBUS', () => {});
    const memory = SharedMemory.memfd({ size: 8192 });
    const { bytes } = memory;
    ftruncateSync(memory.fd, 1);
    bytes[5000] = 1;
    try { memory.bytes; } catch (error) { console.log(error.code); }
    process.exit();
  `);
  expect({ stdout, signal }).toEqual({ stdout: 'ERR_TRUNCATED\n', signal: null });
});
