import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { closing, failure, freshName, memfd, posix } from './memories.js';
import { folder } from './scripts.js';

test('list() tells of each kind its size, mode, owner and who has it mapped or open', async () => {
  const [name, path] = [freshName(), join(folder(), 'mapped')];
  posix({ size: 777, mode: 0o640 }, name);
  const own = memfd({ size: 888, name: `own${process.pid}` });
  closing(SharedMemory.file(path, { create: true, size: 999 }));
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore', own.fd] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const all = SharedMemory.list({ kinds: ['posix', 'memfd', 'file'] });
  const uid = process.geteuid?.();
  const mappedBy = [process.pid];
  const find = (wanted: string): unknown => all.find((one) => one.name === wanted);
  const gid = process.getegid?.();
  const posixInfo = { kind: 'posix', name, size: 777, mode: 0o640, uid, gid, mappedBy };
  expect(find(name)).toEqual({ ...posixInfo, holders: mappedBy });
  expect(find(`own${process.pid}`)).toMatchObject({ kind: 'memfd', size: 888, uid, mappedBy });
  const { holders } = find(`own${process.pid}`) as { holders: number[] };
  expect(holders.toSorted()).toEqual([process.pid, child.pid].toSorted());
  expect(find(path)).toMatchObject({ kind: 'file', size: 999, mode: 0o600, uid, mappedBy });
});

test('list() has POSIX memory alone if nothing else is asked for, and refuses kinds that are none', () => {
  const own = memfd();
  expect(own.fd).toBeGreaterThan(0);
  expect(new Set(SharedMemory.list().map(({ kind }) => kind))).not.toContain('memfd');
  for (const kinds of ['posix', ['bogus'], [5], null]) {
    expect(() => SharedMemory.list({ kinds } as never)).toThrow(TypeError);
  }
  expect(() => SharedMemory.list(5 as never)).toThrow(failure('ERR_INVALID_ARG_TYPE'));
});

test('list() does not show what lost its name, nor what is no shared memory', () => {
  const name = freshName();
  const memory = posix({}, name);
  SharedMemory.unlink(name);
  const path = join(folder(), 'private');
  closeSync(openSync(path, 'w'));
  unlinkSync(path);
  const names = SharedMemory.list({ kinds: ['posix', 'memfd', 'file'] }).map((one) => one.name);
  expect(names.filter((each) => each.includes(name.slice(1)))).toEqual([]);
  expect(names.filter((each) => /node$|\.so/.test(each))).toEqual([]);
  ftruncateSync(memory.fd, 4096);
});

test('list() has names as they are, of any letters', () => {
  const path = join(folder(), 'größe\nund é\r');
  writeFileSync(path, 'content');
  closing(SharedMemory.file(path));
  const own = memfd({ name: `größe ${process.pid}` });
  expect(own.byteLength).toBe(4096);
  const names = SharedMemory.list({ kinds: ['memfd', 'file'] }).map((one) => one.name);
  expect(names).toContain(path);
  expect(names).toContain(`größe ${process.pid}`);
});
