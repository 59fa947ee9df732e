import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  fstatSync,
  ftruncateSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  openSync,
  closeSync,
} from 'node:fs';
import { constants } from 'node:buffer';
import { join } from 'node:path';

import { SharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { asNobody } from '../../core/test/stranger.js';
import { closing, failure, freshName, memfd, posix, isCloseOnExec } from './memories.js';
import { folder, runScript } from './scripts.js';

test('SHM-001 SHM-002 SHM-008 SHM-035: open({ create }) makes /dev/shm/NAME of the size, mode and owner, close-on-exec', () => {
  const name = freshName();
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  const memory = posix({ size: 12345, mode: 0o640 }, name);
  const status = statSync(`/dev/shm${name}`);
  expect([status.size, status.mode & 0o777, status.nlink]).toEqual([12345, 0o640, 1]);
  expect([status.uid, status.gid]).toEqual([process.geteuid?.(), process.getegid?.()]);
  expect(isCloseOnExec(memory.fd)).toBe(true);
  SharedMemory.unlink(name);
  expect(fstatSync(memory.fd).nlink).toBe(0);
});

test('SHM-020: open({ create }) reserves its bytes', () => {
  const memory = posix({ size: 1 << 20 });
  expect(fstatSync(memory.fd).blocks * 512).toBe(1 << 20);
  memory.resize(1 << 21);
  expect(fstatSync(memory.fd).blocks * 512).toBe(1 << 21);
});

test('SHM-020: more bytes than /dev/shm has are ENOSPC at creation, and leave nothing', async (context) => {
  // A mount namespace of its own, whose /dev/shm has room for 64 KiB.
  const { stdout, code } = await runIn64K(`
    const { SharedMemory } = require('@octoipc/shm');
    const say = (call) => { try { call(); console.log('ok'); } catch (error) { console.log(error.code); } };
    say(() => SharedMemory.open('/large', { create: true, size: 1 << 20 }));
    console.log(require('fs').readdirSync('/dev/shm').length);
    const memory = SharedMemory.open('/small', { create: true, size: 4096 });
    say(() => memory.resize(1 << 20));
    console.log(memory.byteLength);
    memory.bytes[0] = 1;
  `);
  context.skip(code !== 0, 'no namespace of mounts here');
  expect(stdout).toBe('ENOSPC\n0\nENOSPC\n4096\n');
});

async function runIn64K(code: string): Promise<{ stdout: string; code: number | null }> {
  const command = 'mount -t tmpfs -o size=64k none /dev/shm && exec "$@"';
  const child = spawn(
    'unshare',
    ['-m', 'sh', '-c', command, 'sh', process.execPath, '--input-type=commonjs', '--eval', code],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  );
  let stdout = '';
  child.stdout.on('data', (data) => (stdout += String(data)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { stdout, code: status };
}

test('SHM-010: names that are not one are refused, and one of 256 bytes is ENAMETOOLONG', () => {
  for (const name of ['', 'x', '/', '/a/b', '/..', '/.', '/a\0b']) {
    expect(() => SharedMemory.open(name)).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  }
  expect(() => SharedMemory.open(`/${'x'.repeat(255)}`)).toThrow(failure('ENAMETOOLONG'));
  posix({}, `/${`octoipc-test-${process.pid}-`.padEnd(254, 'x')}`);
});

test('SHM-012 SHM-013 SHM-028: unlink() takes the name; who has the memory shares it on, and a new one is another', () => {
  const name = freshName();
  const first = closing(SharedMemory.open(name, { exclusive: true, size: 64 }));
  const second = closing(SharedMemory.open(name));
  SharedMemory.unlink(name);
  expect(() => SharedMemory.open(name)).toThrow(failure('ENOENT'));
  expect(() => SharedMemory.unlink(name)).toThrow(failure('ENOENT'));
  first.bytes[1] = 5;
  expect(second.bytes[1]).toBe(5);
  const third = posix({ size: 64 }, name);
  expect(third.bytes[1]).toBe(0);
});

test('SHM-016 SHM-019: resize() keeps what was there, adds zeroes, and gives fresh views', () => {
  const memory = posix({ size: 100 });
  const other = closing(SharedMemory.fromFd(openSync(`/proc/self/fd/${memory.fd}`, 'r+')));
  const { bytes, buffer } = memory;
  bytes[99] = 9;
  memory.resize(10_000);
  expect([memory.byteLength, memory.bytes[99], memory.bytes[100], memory.bytes[9999]]).toEqual([
    10_000, 9, 0, 0,
  ]);
  expect(memory.buffer).not.toBe(buffer);
  expect(bytes[99] ?? 0).toBe(0);
  bytes[99] = 1;
  expect(memory.bytes[99]).toBe(9);
  other.resize(10_000);
  expect(other.bytes[99]).toBe(9);
  memory.resize(1);
  expect(memory.byteLength).toBe(1);
  for (const size of [0, -1, 1.5, NaN, constants.MAX_LENGTH + 1]) {
    expect(() => memory.resize(size)).toThrow(failure('ERR_OUT_OF_RANGE'));
  }
});

test('SHM-021 SHM-036: another process sees what is stored, and what it stored stays when it is killed', async () => {
  const name = freshName();
  const memory = posix({}, name);
  memory.bytes[0] = 1;
  const child = spawn(
    process.execPath,
    [
      '--input-type=commonjs',
      '--eval',
      `
      const memory = require('@octoipc/shm').SharedMemory.open('${name}');
      memory.bytes[1] = memory.bytes[0] + 1;
      process.stdout.write('stored');
      setInterval(() => {}, 1000);
    `,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  );
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(memory.bytes[1]).toBe(2);
});

test('SHM-015 SHM-034: memory stays when its creator exits, and a child has neither it nor its descriptor', async () => {
  const name = freshName();
  const { code } = await runScript(`
    const memory = require('@octoipc/shm').SharedMemory.open('${name}', { create: true, size: 8 });
    memory.bytes[7] = 7;
    const { spawnSync } = require('child_process');
    const { stdout } = spawnSync('sh', ['-c', 'ls -l /proc/$$/fd; cat /proc/$$/maps']);
    if (String(stdout).includes('octoipc-test')) process.exit(9);
  `);
  onTestFinished(() => SharedMemory.unlink(name));
  expect(code).toBe(0);
  expect(closing(SharedMemory.open(name)).bytes[7]).toBe(7);
});

test('SHM-023 SHM-024 SHM-025 SHM-006: fromFd() refuses what cannot be mapped', () => {
  const path = join(folder(), 'file');
  const adopt = (file: string, flags: string): (() => unknown) => {
    const fd = openSync(file, flags);
    onTestFinished(() => closeSync(fd));
    return () => SharedMemory.fromFd(fd);
  };
  expect(adopt('/dev/null', 'r')).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  expect(adopt('/', 'r')).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  expect(adopt(path, 'w')).toThrow(failure('EACCES'));
  expect(adopt(path, 'r')).toThrow(failure('ERR_INVALID_ARG_VALUE'));
  expect(() => SharedMemory.fromFd(999_999)).toThrow(failure('EBADF'));
});

test('SHM-026: an object that no address space or buffer can hold is refused', async () => {
  expect(() => posix({ size: constants.MAX_LENGTH + 1 })).toThrow(failure('ERR_OUT_OF_RANGE'));
  // More than the address space has; a file of tmpfs may be as long as that.
  const large = memfd({ size: 1 });
  const fd = openSync(`/proc/self/fd/${large.fd}`, 'r+');
  onTestFinished(() => closeSync(fd));
  ftruncateSync(fd, 2 ** 48);
  expect(() => SharedMemory.fromFd(fd)).toThrow(/EFBIG|ENOMEM/);
});

test('SHM-005 SHM-022: a read-only handle has a descriptor that cannot write', () => {
  const name = freshName();
  posix({}, name);
  const reader = closing(SharedMemory.open(name, { readOnly: true }));
  expect(reader.readOnly).toBe(true);
  expect(() => writeSync(reader.fd, 'x')).toThrow(failure('EBADF'));
  expect(() => reader.resize(1)).toThrow(failure('EACCES'));
  const made = closing(
    SharedMemory.open(freshName(), { temporary: true, readOnly: true, size: 8 }),
  );
  expect([made.readOnly, made.bytes[0]]).toEqual([true, 0]);
});

test('temporary memory goes with its handle, whatever its mode', (context) => {
  context.skip(process.geteuid?.() !== 0, 'only root can become another user');
  asNobody(() => {
    for (const mode of [0, 0o200, 0o400]) {
      const name = freshName();
      SharedMemory.open(name, { temporary: true, mode, size: 8 }).close();
      expect(existsSync(`/dev/shm${name}`), mode.toString(8)).toBe(false);
    }
  });
});

test('SHM-007: what is empty is waited for, and then refused; with create it gets its size', async () => {
  const name = freshName();
  writeFileSync(`/dev/shm${name}`, '');
  onTestFinished(() => SharedMemory.unlink(name));
  expect(() => SharedMemory.open(name)).toThrow(failure('EINVAL'));
  expect(closing(SharedMemory.open(name, { create: true, size: 10 })).byteLength).toBe(10);
  expect(() => SharedMemory.open(name, { size: 11 })).toThrow(failure('EINVAL'));
  expect(closing(SharedMemory.open(name, { size: 5 })).byteLength).toBe(10);
});

test('two handles on one object, and in workers, see the same memory', () => {
  const memory = memfd({ size: 64 });
  const handles = Array.from({ length: 20 }, () =>
    closing(SharedMemory.fromFd(openSync(`/proc/self/fd/${memory.fd}`, 'r+'))),
  );
  memory.bytes[5] = 5;
  expect(handles.map(({ bytes }) => bytes[5])).toEqual(Array(20).fill(5));
  expect(new Set(handles.map(({ buffer }) => buffer)).size).toBe(20);
});

test('SharedMemory.file() maps a file, which has what was stored; a symbolic link is ELOOP', () => {
  const path = join(folder(), 'data');
  expect(() => SharedMemory.file(path)).toThrow(failure('ENOENT'));
  const memory = closing(SharedMemory.file(path, { create: true, size: 10 }));
  memory.bytes.set(Buffer.from('0123456789'));
  memory.sync();
  memory.sync({ byteOffset: 3, length: 2, wait: false });
  expect(readFileSync(path, 'latin1')).toBe('0123456789');
  symlinkSync(path, `${path}.link`);
  expect(() => SharedMemory.file(`${path}.link`)).toThrow(failure('ELOOP'));
  expect(closing(SharedMemory.file(path, { readOnly: true })).seals).toEqual([]);
});

test('SHM-030 SHM-031: sync(), advise() and lockInMemory() take ranges of any alignment, within the memory', () => {
  const memory = posix({ size: 10_000 });
  memory.sync({ byteOffset: 5000, length: 1 });
  memory.advise('willneed', { byteOffset: 1, length: 4097 });
  memory.advise('dontfork');
  memory.lockInMemory();
  memory.unlockFromMemory();
  expect(() => memory.sync({ byteOffset: 10_001 })).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect(() => memory.sync({ byteOffset: 9000, length: 1001 })).toThrow(
    failure('ERR_OUT_OF_RANGE'),
  );
  expect(() => memory.advise('bogus' as never)).toThrow(failure('ERR_INVALID_ARG_VALUE'));
});

test('view() checks type, alignment and bounds', () => {
  const memory = posix({ size: 100 });
  expect(memory.view(Float64Array, 8).length).toBe(11);
  expect(memory.view(DataView, 1, 4).byteLength).toBe(4);
  expect(memory.view(BigInt64Array, 96).length).toBe(0);
  expect(() => memory.view(Float64Array, 4)).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect(() => memory.view(Float64Array, 0, 13)).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect(() => memory.view(Uint8Array, 101)).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect(() => memory.view(Array as never)).toThrow(failure('ERR_INVALID_ARG_TYPE'));
});

test('list() tells size, mode, owner and who has it mapped', async () => {
  const name = freshName();
  posix({ size: 777, mode: 0o640 }, name);
  const info = SharedMemory.list().find((one) => one.name === name);
  expect(info).toMatchObject({
    size: 777,
    mode: 0o640,
    uid: process.geteuid?.(),
    mappedBy: [process.pid],
  });
  expect(info?.holders).toContain(process.pid);
  const without = SharedMemory.list({ holders: false }).find((one) => one.name === name);
  expect(without).toEqual({ ...info, mappedBy: [], holders: [] });
  expect(() => SharedMemory.list({ holders: 1 as never })).toThrow(failure('ERR_INVALID_ARG_TYPE'));
});

test('a 4 GiB object works, to its last byte', () => {
  const memory = closing(SharedMemory.file(join(folder(), 'large'), { create: true, size: 1 }));
  // Holes, so that the test takes no 4 GiB.
  const sparse = closing(SharedMemory.fromFd(growSparse(memory.fd)));
  sparse.bytes[2 ** 32 - 1] = 7;
  expect([sparse.byteLength, sparse.bytes[2 ** 32 - 1]]).toEqual([2 ** 32, 7]);
});

function growSparse(fd: number): number {
  const again = openSync(`/proc/self/fd/${fd}`, 'r+');
  writeSync(again, Uint8Array.of(0), 0, 1, 2 ** 32 - 1);
  return again;
}
