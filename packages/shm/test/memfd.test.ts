import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, fstatSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs';

import { spawnWithPipes } from '@octoipc/pipe';
import { popen } from '@octoipc/popen';
import { SharedMemory } from '@octoipc/shm';
import { expect, test } from 'vitest';

import { closing, failure, memfd, isCloseOnExec } from './memories.js';

const again = (memory: SharedMemory, flags = 'r+'): SharedMemory =>
  closing(SharedMemory.fromFd(openSync(`/proc/self/fd/${memory.fd}`, flags)));

test('MEMFD-001 MEMFD-002 MEMFD-004: memfd() has its name, which need not be unique, and is close-on-exec', () => {
  const [first, second] = [memfd({ name: 'twin' }), memfd({ name: 'twin' })];
  for (const { fd } of [first, second]) {
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe('/memfd:twin (deleted)');
    expect(isCloseOnExec(fd)).toBe(true);
  }
  memfd({ name: '' });
  memfd({ name: 'x'.repeat(249) });
  expect(() => memfd({ name: 'x'.repeat(250) })).toThrow(failure('ENAMETOOLONG'));
  expect(() => memfd({ name: 'a\0b' })).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  expect(() => memfd({ size: 0 })).toThrow(failure('ERR_OUT_OF_RANGE'));
});

test('MEMFD-005 MEMFD-006 MEMFD-007: seals add up, until sealing itself is sealed', () => {
  const memory = memfd();
  expect(memory.seals).toEqual([]);
  memory.seal('grow');
  memory.seal('grow', 'shrink');
  expect(new Set(memory.seals)).toEqual(new Set(['grow', 'shrink']));
  memory.seal('seal');
  expect(() => memory.seal('grow')).toThrow(failure('EPERM'));
  const fixed = memfd({ sealable: false });
  expect(fixed.seals).toEqual(['seal']);
  expect(() => fixed.seal('grow')).toThrow(failure('EPERM'));
  expect(() => memory.seal('bogus' as never)).toThrow(failure('ERR_INVALID_ARG_VALUE'));
});

test('MEMFD-008 MEMFD-009: sealed against shrinking or growing, resize() is EPERM, and all stays as it was', () => {
  const memory = memfd({ size: 100 });
  const { bytes } = memory;
  memory.seal('shrink');
  expect(() => memory.resize(99)).toThrow(failure('EPERM'));
  memory.resize(200);
  memory.seal('grow');
  expect(() => memory.resize(201)).toThrow(failure('EPERM'));
  expect(memory.byteLength).toBe(200);
  expect(() => writeSync(memory.fd, 'x', 200)).toThrow(failure('EPERM'));
  expect(bytes[0] ?? 0).toBe(0);
});

test("MEMFD-010 MEMFD-011: seal('write') makes the handle read-only; while another may write it is EBUSY", () => {
  const memory = memfd();
  memory.bytes[0] = 1;
  const other = again(memory);
  expect(() => memory.seal('write')).toThrow(failure('EBUSY'));
  memory.bytes[0] = 2;
  other.close();
  const { bytes } = memory;
  memory.seal('write');
  expect([memory.readOnly, bytes[0]]).toEqual([true, 2]);
  bytes[0] = 3;
  expect(() => memory.bytes).toThrow(failure('EACCES'));
  expect(memory.bytes[0]).toBe(2);
  expect(() => writeSync(memory.fd, 'x')).toThrow(failure('EPERM'));
  expect(again(memory).readOnly).toBe(true);
  expect(() => SharedMemory.fromFd(memory.fd, { readOnly: false })).toThrow(failure('EPERM'));
});

test("MEMFD-012: seal('future-write') leaves those who may write, and nobody new", () => {
  const memory = memfd();
  memory.seal('future-write');
  memory.bytes[0] = 4;
  const reader = again(memory);
  expect([reader.readOnly, reader.bytes[0]]).toEqual([true, 4]);
  expect(() => writeSync(memory.fd, 'x')).toThrow(failure('EPERM'));
});

test('MEMFD-013 MEMFD-014: seals are of the object; a descriptor for reading cannot add one, nor can a file have any', () => {
  const memory = memfd();
  const reader = again(memory, 'r');
  memory.seal('shrink');
  expect(reader.seals).toEqual(['shrink']);
  expect(() => reader.seal('grow')).toThrow(failure('EPERM'));
});

test('MEMFD-015: fromFd({ requireSeals }) refuses what its sender could truncate', () => {
  const memory = memfd();
  const require = { requireSeals: ['shrink'] } as const;
  expect(() => SharedMemory.fromFd(memory.fd, require)).toThrow(failure('EPERM'));
  memory.seal('shrink');
  const fd = openSync(`/proc/self/fd/${memory.fd}`, 'r+');
  expect(closing(SharedMemory.fromFd(fd, require)).byteLength).toBe(4096);
});

test('MEMFD-016: memory lives while somebody has its descriptor', () => {
  const memory = memfd();
  memory.bytes[0] = 6;
  const other = again(memory);
  memory.close();
  expect(other.bytes[0]).toBe(6);
});

test('MEMFD-017: a memfd cannot be executed, nor made so', () => {
  const memory = memfd();
  expect(fstatSync(memory.fd).mode & 0o111).toBe(0);
  expect(() => chmodSync(`/proc/self/fd/${memory.fd}`, 0o700)).toThrow(failure('EPERM'));
});

test('MEMFD-018: huge pages that are not reserved are an error, and a size that is no multiple is refused', () => {
  expect(() => memfd({ hugePages: '2MB', size: 4096 })).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  expect(() => memfd({ hugePages: 'huge' as never })).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  const free = /^HugePages_Free:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
  const size = (Number(free) + 1) * 2 ** 21;
  expect(() => memfd({ hugePages: '2MB', size })).toThrow(/ENOMEM|ENOSPC|EINVAL/);
});

test('MEMFD-018: huge pages that are reserved are mapped, and survive a store where only reading is allowed', (context) => {
  const free = /^HugePages_Free:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
  const usual = /^Hugepagesize:\s+2048 kB/m.test(readFileSync('/proc/meminfo', 'latin1'));
  if (!usual || Number(free) < 2) context.skip('no two huge pages of 2 MiB are reserved here');
  const memory = memfd({ hugePages: '2MB', size: 2 ** 21 });
  memory.bytes[2 ** 21 - 1] = 3;
  const maps = readFileSync('/proc/self/smaps', 'latin1');
  expect(maps).toMatch(/memfd:[^\n]*\n(?:[^/\n]*\n){0,4}KernelPageSize: +2048 kB/);
  const { bytes } = again(memory, 'r');
  bytes[0] = 1;
  expect([memory.bytes[0], bytes[2 ** 21 - 1]]).toEqual([0, 3]);
});

test('a child gets a memfd by the `stdio` of spawnWithPipes, beside its pipes', async () => {
  const memory = memfd({ size: 5 });
  memory.bytes.set(Buffer.from('hello'));
  const { child, pipes } = spawnWithPipes(
    'sh',
    ['-c', 'cat /dev/fd/3 >&4; printf J | dd of=/dev/fd/3 conv=notrunc status=none'],
    { stdio: ['ignore', 'ignore', 'inherit', memory.fd], pipes: { 4: 'write' } },
  );
  const exit = once(child, 'exit');
  expect(String(await pipes[4].readAll())).toBe('hello');
  pipes[4].close();
  expect(await exit).toEqual([0, null]);
  expect(String(memory.read())).toBe('Jello');
});

test('a child gets a memfd by the `fds` of popen', async () => {
  const memory = memfd({ size: 5 });
  memory.bytes.set(Buffer.from('hello'));
  expect(await popen(['cat', '/dev/fd/3'], 'r', { fds: { 3: memory } }).text()).toBe('hello');
  const write = execFileSync('sh', ['-c', 'printf J >&0; cat /proc/self/fd/0'], {
    stdio: [memory.fd, 'pipe', 'inherit'],
  });
  expect(String(write)).toContain('Jello');
});
