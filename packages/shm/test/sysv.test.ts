import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';

import { loadBinding } from '@octoipc/core/kit';
import { SysvSharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { closing, failure, freshKey, sysv } from './memories.js';
import { run, runScript } from './scripts.js';

test('SVSHM-001 SVSHM-006 SVSHM-009 SVSHM-010: a new segment is zero, has its size to the byte, and counts who attaches', () => {
  const memory = sysv({ size: 100, mode: 0o640 });
  expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
  expect(memory.stat()).toMatchObject({
    size: 100,
    mode: 0o640,
    attachments: 1,
    creatorPid: process.pid,
    lastPid: process.pid,
    removed: false,
  });
  const other = SysvSharedMemory.fromId(memory.id);
  other.bytes[99] = 9;
  expect([memory.bytes[99], memory.attachments]).toEqual([9, 2]);
  other.close();
  // A SharedArrayBuffer cannot be detached: it stays attached until its last view is collected.
  const { attachments, detachTime } = memory.stat();
  expect([attachments, detachTime instanceof Date]).toEqual([
    memory.shared ? 2 : 1,
    !memory.shared,
  ]);
});

test('SVSHM-002 SVSHM-003 SVSHM-019: keys open what is there; larger is EINVAL, and there is no resize()', () => {
  const key = freshKey();
  expect(() => SysvSharedMemory.open(key)).toThrow(failure('ENOENT'));
  closing(SysvSharedMemory.open(key, { temporary: true, size: 100 }));
  expect(() => SysvSharedMemory.open(key, { exclusive: true, size: 100 })).toThrow(
    failure('EEXIST'),
  );
  expect(closing(SysvSharedMemory.open(key)).byteLength).toBe(100);
  expect(closing(SysvSharedMemory.open(key, { size: 50 })).byteLength).toBe(100);
  expect(() => SysvSharedMemory.open(key, { size: 101 })).toThrow(failure('EINVAL'));
  expect(() => sysv({ size: 0 })).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect('resize' in sysv()).toBe(false);
});

test('SVSHM-011: a view sees nothing of a segment that was closed', () => {
  const memory = sysv();
  const { bytes, shared } = memory;
  memory.close();
  expect(bytes.length).toBe(shared ? 4096 : 0);
});

test('SVSHM-012 SVSHM-013 SVSHM-021: remove() frees the key at once and the memory with the last who has it', () => {
  const key = freshKey();
  const memory = SysvSharedMemory.open(key, { create: true, exclusive: true, size: 64 });
  const { id } = memory;
  memory.bytes[0] = 1;
  memory.remove();
  expect(memory.stat()).toMatchObject({ removed: true, key: 0 });
  expect(() => SysvSharedMemory.open(key)).toThrow(failure('ENOENT'));
  expect(closing(SysvSharedMemory.fromId(id)).bytes[0]).toBe(1);
  const next = closing(SysvSharedMemory.open(key, { temporary: true, size: 64 }));
  expect([next.id === id, next.bytes[0]]).toEqual([false, 0]);
});

test('SVSHM-017 SVSHM-008: an id that is not there is an error', () => {
  const memory = SysvSharedMemory.open('private', { create: true, size: 64 });
  const { id } = memory;
  memory.remove();
  memory.close();
  expect(() => SysvSharedMemory.fromId(id)).toThrow(failure('EIDRM'));
  expect(() => SysvSharedMemory.remove(id)).toThrow(/EINVAL|EIDRM/);
});

test('SVSHM-014 SVSHM-015: who is killed is detached, and what was removed goes with it', async () => {
  const memory = SysvSharedMemory.open('private', { create: true, size: 64 });
  onTestFinished(() => memory.close());
  const child = spawn(
    process.execPath,
    [
      '--input-type=commonjs',
      '--eval',
      `
      globalThis.memory = require('@octoipc/shm').SysvSharedMemory.fromId(${memory.id});
      process.stdout.write('attached');
      setInterval(() => {}, 1000);
    `,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  );
  await once(child.stdout, 'data');
  expect(memory.attachments).toBe(2);
  memory.remove();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { id } = memory;
  expect(memory.attachments).toBe(1);
  memory.close();
  expect(SysvSharedMemory.list().some((info) => info.id === id)).toBe(false);
});

test('SVSHM-016 SVSHM-018: setStat() changes the mode, lockInMemory() is seen by everybody', () => {
  const memory = sysv();
  memory.setStat({ mode: 0o600 });
  expect(memory.stat().mode).toBe(0o600);
  memory.lockInMemory();
  expect(memory.stat().locked).toBe(true);
  memory.unlockFromMemory();
  expect(memory.stat().locked).toBe(false);
});

test('SVSHM-020: list() and ipcs(1) agree', async () => {
  const memory = sysv({ size: 321 });
  expect(SysvSharedMemory.list().find(({ id }) => id === memory.id)).toMatchObject({
    size: 321,
    attachments: 1,
    mappedBy: [process.pid],
  });
  const without = SysvSharedMemory.list({ holders: false }).find(({ id }) => id === memory.id);
  expect(without).toMatchObject({ size: 321, attachments: 1, mappedBy: [] });
  const { stdout, code } = await run('ipcs', ['-m', '-i', String(memory.id)]);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/bytes=321\b/) });
});

test('SVSHM-004: more segments than the system has room for are ENOSPC', async (context) => {
  const { status } = spawnSync('unshare', ['-i', 'true']);
  context.skip(status !== 0, 'no namespace for System V here');
  // An ipc namespace of its own, which has a limit of its own.
  const code = `
    const { SysvSharedMemory } = require('@octoipc/shm');
    const first = SysvSharedMemory.open('private', { create: true, size: 4096 });
    try { SysvSharedMemory.open('private', { create: true, size: 4096 }); console.log('made'); }
    catch (error) { console.log(error.code, SysvSharedMemory.list().length); }
    first.remove();
    first.close();
  `;
  const command = 'echo 1 > /proc/sys/kernel/shmmni && exec "$@"';
  const args = ['-i', 'sh', '-c', command, 'sh', process.execPath];
  const { stdout } = await run('unshare', [...args, '--input-type=commonjs', '--eval', code]);
  expect(stdout).toBe('ENOSPC 1\n');
});

test('SVSHM-005: the segment of another user is EACCES', async (context) => {
  context.skip(process.getuid?.() !== 0, 'only root can become another user');
  const key = freshKey();
  const memory = closing(SysvSharedMemory.open(key, { create: true, temporary: true, size: 4096 }));
  const { stdout } = await runScript(`
    const { SysvSharedMemory } = require('@octoipc/shm');
    const attempt = (call) => { try { call(); console.log('opened'); } catch (error) { console.log(error.code); } };
    attempt(() => SysvSharedMemory.fromId(${memory.id}).close());
    process.setgid(65534);
    process.setuid(65534);
    attempt(() => SysvSharedMemory.fromId(${memory.id}));
    attempt(() => SysvSharedMemory.open(${key}));
  `);
  expect(stdout).toBe('opened\nEACCES\nEACCES\n');
});

test('open() of a segment that is removed between its two calls makes it anew', () => {
  const key = freshKey();
  const options = { temporary: true, size: 8 };
  const first = SysvSharedMemory.open(key, { ...options, exclusive: true });
  const { id } = first;
  const native = loadBinding<{ mapAttach(...given: unknown[]): number }>(
    createRequire(import.meta.url).resolve('../package.json'),
    'shm',
  );
  const { mapAttach } = native;
  onTestFinished(() => void (native.mapAttach = mapAttach));
  native.mapAttach = (...given) => {
    native.mapAttach = mapAttach;
    first.close();
    return mapAttach(...given);
  };
  const second = closing(SysvSharedMemory.open(key, options));
  expect(second.id).not.toBe(id);
  expect(first.closed).toBe(true);
});
