import { SharedMemory, SysvSharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { closing, freshKey, freshName, posix, sysv } from './memories.js';
import { needs, run } from './scripts.js';

test("SHM-021: Python's multiprocessing.shared_memory sees the same bytes, from offset 0", async (context) => {
  await needs('python3', context);
  const name = freshName();
  const memory = posix({ size: 100 }, name);
  memory.bytes.set(Buffer.from('from node'), 0);
  const script = `
from multiprocessing import resource_tracker, shared_memory
shm = shared_memory.SharedMemory(name=${JSON.stringify(name.slice(1))})
resource_tracker.unregister(shm._name, 'shared_memory')
print(bytes(shm.buf[:9]).decode(), shm.size)
shm.buf[90:100] = b'from snake'
shm.close()
`;
  expect(await run('python3', ['-c', script])).toMatchObject({
    code: 0,
    stdout: 'from node 100\n',
  });
  expect(Buffer.from(memory.bytes.subarray(90)).toString()).toBe('from snake');
});

test('SHM-021: SharedMemory.open() finds what Python has made', async (context) => {
  await needs('python3', context);
  const name = freshName();
  const script = `
from multiprocessing import resource_tracker, shared_memory
shm = shared_memory.SharedMemory(name=${JSON.stringify(name.slice(1))}, create=True, size=33)
resource_tracker.unregister(shm._name, 'shared_memory')
shm.buf[:5] = b'snake'
shm.close()
`;
  expect(await run('python3', ['-c', script])).toMatchObject({ code: 0 });
  onTestFinished(() => SharedMemory.unlink(name));
  const memory = closing(SharedMemory.open(name));
  expect([memory.byteLength, Buffer.from(memory.bytes.subarray(0, 5)).toString()]).toEqual([
    33,
    'snake',
  ]);
});

test("SVSHM-001: perl's shmread and shmwrite, and ctypes, share a segment with us", async (context) => {
  await needs('perl', context);
  await needs('python3', context);
  const memory = sysv({ size: 64 });
  memory.bytes.set(Buffer.from('from node'));
  const perl = `shmread($ARGV[0], $_, 0, 9) or die; print; shmwrite($ARGV[0], "perl", 20, 4) or die`;
  expect(await run('perl', ['-e', perl, String(memory.id)])).toMatchObject({
    code: 0,
    stdout: 'from node',
  });
  const python = `
import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
at = libc.shmat(int(sys.argv[1]), None, 0)
print(ctypes.string_at(at + 20, 4).decode())
ctypes.memset(at + 30, 7, 4)
`;
  expect(await run('python3', ['-c', python, String(memory.id)])).toMatchObject({
    code: 0,
    stdout: 'perl\n',
  });
  expect([...memory.bytes.subarray(29, 35)]).toEqual([0, 7, 7, 7, 7, 0]);
});

test("SVSHM-002: perl's shmget(2) finds by its key what we made, and we what it made", async (context) => {
  await needs('perl', context);
  const key = freshKey();
  const memory = closing(
    SysvSharedMemory.open(key, { exclusive: true, temporary: true, size: 64 }),
  );
  memory.bytes.set(Buffer.from('by key'));
  const find = `my $id = shmget($ARGV[0], 64, 0600); defined $id or die $!; shmread($id, $_, 0, 6) or die; print "$id $_"`;
  expect(await run('perl', ['-e', find, String(key)])).toMatchObject({
    code: 0,
    stdout: `${memory.id} by key`,
  });
  const other = freshKey();
  const make = `my $id = shmget($ARGV[0], 33, 03600); defined $id or die $!; shmwrite($id, "perl", 0, 4) or die; print $id`;
  const made = await run('perl', ['-e', make, String(other)]);
  expect(made, made.stderr).toMatchObject({ code: 0 });
  onTestFinished(() => SysvSharedMemory.remove(Number(made.stdout)));
  const found = closing(SysvSharedMemory.open(other));
  expect([found.id, found.byteLength, String(found.read(0, 4))]).toEqual([
    Number(made.stdout),
    33,
    'perl',
  ]);
});

test('SVSHM-020: ipcmk(1) makes what we open, and ipcrm(1) removes what we have', async (context) => {
  await needs('ipcmk', context);
  const made = await run('ipcmk', ['-M', '77']);
  const id = Number(/\d+/.exec(made.stdout)?.[0]);
  const memory = closing(SysvSharedMemory.fromId(id));
  expect(memory.byteLength).toBe(77);
  expect(await run('ipcrm', ['-m', String(id)])).toMatchObject({ code: 0 });
  expect(memory.stat().removed).toBe(true);
});
