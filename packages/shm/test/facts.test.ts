// What the kernel promises, told by a process that is not ours: Python's mmap and ctypes on our objects.
import { createRequire } from 'node:module';
import {
  closeSync,
  ftruncateSync,
  fstatSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { SharedMemory, SysvSharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test, type TestContext } from 'vitest';

import { closing, failure, freshName, memfd, posix, sysv } from './memories.js';
import { folder, needs, run, runScript } from './scripts.js';

/** Runs a Python program to which descriptors are given as 3, 4, …; what it said. */
async function python(
  context: TestContext,
  code: string,
  fds: readonly number[] = [],
): Promise<string> {
  await needs('python3', context);
  const { stdout, stderr } = await run('python3', ['-c', code], fds);
  expect(stderr).toBe('');
  return stdout;
}

test('SHM-033 SHM-022: a mapping goes on in a child that forks: shared stores are seen, private ones are not', async (context) => {
  const memory = memfd({ size: 4096 });
  memory.bytes[0] = 1;
  const code = `
import mmap, os
shared = mmap.mmap(3, 4096, mmap.MAP_SHARED)
private = mmap.mmap(3, 4096, mmap.MAP_PRIVATE)
private[1] = 9
child = os.fork()
if child == 0:
    shared[2] = 7
    private[3] = 8
    os._exit(0)
os.waitpid(child, 0)
print(list(shared[0:4]), list(private[0:4]))
`;
  expect(await python(context, code, [memory.fd])).toBe('[1, 0, 7, 0] [1, 9, 0, 0]\n');
  expect([...memory.bytes.subarray(0, 4)]).toEqual([1, 0, 7, 0]);
});

test('SHM-018: behind the end the last page is zeroes that are not stored, the next page is a SIGBUS; our views end with the object', async (context) => {
  const memory = memfd({ size: 100 });
  const code = `
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
at = libc.mmap(None, 8192, 3, 1, 3, 0)
tail = ctypes.string_at(at + 100, 3996)
ctypes.memset(at + 200, 7, 1)
child = os.fork()
if child == 0:
    ctypes.string_at(at + 4096, 1)
    os._exit(0)
print(tail == bytes(3996), os.WTERMSIG(os.waitpid(child, 0)[1]), os.fstat(3).st_size, len(os.pread(3, 8192, 0)))
`;
  expect(await python(context, code, [memory.fd])).toBe('True 7 100 100\n');
  expect([memory.byteLength, memory.bytes.length, fstatSync(memory.fd).size]).toEqual([
    100, 100, 100,
  ]);
});

test('SHM-007: O_TRUNC by somebody else empties the object, keeps mode and owner, and is ERR_TRUNCATED for us', async (context) => {
  const name = freshName();
  const memory = posix({ mode: 0o640, size: 4096 }, name);
  memory.bytes[0] = 5;
  const before = statSync(`/dev/shm${name}`);
  await python(context, `import os\nos.open('/dev/shm${name}', os.O_RDWR | os.O_TRUNC)`);
  const { size, mode, uid, gid, ino } = statSync(`/dev/shm${name}`);
  expect([size, mode, uid, gid, ino]).toEqual([0, before.mode, before.uid, before.gid, before.ino]);
  memory.resize(4096);
  expect(memory.bytes[0]).toBe(0);
});

test('SHM-027: no offset or length that mmap(2) would answer with EOVERFLOW gets as far as that', async (context) => {
  const memory = memfd({ size: 4096 });
  for (const beyond of [2 ** 53, 2 ** 63, 2 ** 64, Infinity]) {
    expect(() => memory.resize(beyond)).toThrow(failure('ERR_OUT_OF_RANGE'));
    expect(() => memory.view(Uint8Array, beyond)).toThrow(failure('ERR_OUT_OF_RANGE'));
    expect(() => memory.sync({ byteOffset: beyond })).toThrow(failure('ERR_OUT_OF_RANGE'));
    expect(() => memory.advise('normal', { length: beyond })).toThrow(failure('ERR_OUT_OF_RANGE'));
  }
  const code = `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_long
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
result = libc.mmap(None, 8192, 1, 1, 3, 2 ** 63 - 4096)
print(result, errno.errorcode[ctypes.get_errno()])
`;
  expect(await python(context, code, [memory.fd])).toBe('-1 EOVERFLOW\n');
});

test('MEMFD-003 MEMFD-014: unknown flags and seals are EINVAL, and cannot be asked for; a file has no seals', async (context) => {
  const code = `
import errno, fcntl, os
def told(call):
    try:
        call()
        print('done')
    except OSError as error:
        print(errno.errorcode[error.errno])
told(lambda: os.memfd_create('x', 0x100))
told(lambda: os.memfd_create('x', 0x80000000))
told(lambda: fcntl.fcntl(3, fcntl.F_ADD_SEALS, 0x8000))
told(lambda: fcntl.fcntl(4, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK))
`;
  const file = closing(SharedMemory.file(join(folder(), 'file'), { create: true, size: 4096 }));
  const said = await python(context, code, [memfd().fd, file.fd]);
  expect(said).toBe('EINVAL\nEINVAL\nEINVAL\nEINVAL\n');
  expect(file.seals).toEqual([]);
  expect(() => file.seal('shrink')).toThrow(failure('EINVAL'));
  expect(() => memfd({ hugePages: '3MB' as never })).toThrow(failure('ERR_INVALID_ARG_VALUE'));
});

test('SVSHM-008: shmat(2) of no segment or to an odd address is EINVAL, of another user’s EACCES', async (context) => {
  const memory = sysv({ size: 4096 });
  const code = (id: number): string => `
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_long
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
def told(id, at, flags=0):
    print('attached' if libc.shmat(id, at, flags) != -1 else errno.errorcode[ctypes.get_errno()])
told(-1, None)
told(${id}, 0x10000001)
told(${id}, 0x10000001, 0o20000)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
    told(${id}, None)
else:
    print('EACCES')
`;
  const expected = 'EINVAL\nEINVAL\nattached\nEACCES\n';
  expect(await python(context, code(memory.id))).toBe(expected);
  expect(() => SysvSharedMemory.fromId(0x7fff_fff0)).toThrow(failure('EIDRM'));
});

test('SHM-038: where the runtime allows no buffers over foreign memory, buffer is ERR_UNSUPPORTED; read(), write() and what needs no view work', async () => {
  const path = createRequire(import.meta.url).resolve('@octoipc/shm/package.json');
  const ended = await runScript(`
    // As Electron's binding answers: napi_no_external_buffers_allowed.
    const { dlopen } = process;
    process.dlopen = (module, file, ...more) => {
      dlopen(module, file, ...more);
      if (file.endsWith('shm.node')) module.exports.mapBuffer = () => undefined;
    };
    const { SharedMemory } = require(${JSON.stringify(join(path, '..'))});
    const memory = SharedMemory.memfd({ size: 64 });
    const codes = ['buffer', 'bytes'].map((key) => {
      try { return String(memory[key]); } catch ({ code, hint }) { return code + ' ' + (hint.length > 0); }
    });
    memory.resize(128);
    // Copies need no buffer.
    memory.write(60, 'here');
    const copy = String(memory.read(60, 4));
    const { ftruncateSync, openSync } = require('node:fs');
    const codeOf = (use) => { try { use(); return 'nothing'; } catch ({ code }) { return code; } };
    const reader = SharedMemory.fromFd(openSync('/proc/self/fd/' + memory.fd, 'r'));
    const peer = String(reader.read(60, 4));
    codes.push(codeOf(() => reader.write(0, 'x')));
    reader.close();
    const cut = SharedMemory.memfd({ size: 8192 });
    ftruncateSync(cut.fd, 1);
    codes.push(codeOf(() => cut.read(4096, 1)), codeOf(() => cut.write(4096, 'x')));
    cut.close();
    memory.seal('shrink');
    console.log(JSON.stringify([...codes, copy, peer, memory.byteLength, memory.seals]));
    memory.close();
  `);
  const refused = ['ERR_UNSUPPORTED true', 'ERR_UNSUPPORTED true'];
  const said = [...refused, 'EACCES', 'ERR_TRUNCATED', 'ERR_TRUNCATED', 'here', 'here', 128];
  expect(ended, ended.stderr).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify([...said, ['shrink']])}\n`,
  });
});

test('fromFd() of what cannot be mapped leaves the descriptor to its owner; in a worker Node forgets a number that was taken', async () => {
  const code = `
    const { openSync, closeSync, ftruncateSync, fstatSync } = require('node:fs');
    const { parentPort, workerData } = require('node:worker_threads');
    const { SharedMemory } = require('@octoipc/shm');
    const empty = openSync('/proc/self/fd/' + workerData, 'r+');
    const first = SharedMemory.fromFd(empty);
    let refused;
    try { SharedMemory.fromFd(openSync('/dev/null')); } catch (error) { refused = error.code; }
    first.bytes[0] = 3;
    parentPort.postMessage([refused, first.fd, empty]);
  `;
  const memory = memfd();
  const worker = new Worker(code, { eval: true, workerData: memory.fd, stderr: true });
  onTestFinished(async () => void (await worker.terminate()));
  const [refused, fd, given] = await new Promise<[string, number, number]>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  expect(refused).toBe('ERR_INVALID_ARG_VALUE');
  expect(fd).not.toBe(given);
  // The number that the worker gave to fs is somebody else's by now, whom its end must not hurt.
  const taken = openSync('/dev/null', 'r');
  const isThere = (): boolean => fstatSync(taken).isCharacterDevice();
  await worker.terminate();
  expect(isThere()).toBe(true);
  closeSync(taken);
  expect(memory.bytes[0]).toBe(3);
});

test('an object of 4 GiB that is created is reserved whole', async (context) => {
  const { bavail, bsize } = statfsSync('/dev/shm');
  const available = Number(
    /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1],
  );
  if (bavail * bsize < 6 * 2 ** 30 || available < 8 * 2 ** 20) {
    context.skip('there is no room for 4 GiB in /dev/shm, or of memory');
  }
  const name = freshName();
  const memory = posix({ size: 2 ** 32 }, name);
  const { blocks, size } = statSync(`/dev/shm${name}`);
  expect([blocks * 512, size, memory.byteLength]).toEqual([2 ** 32, 2 ** 32, 2 ** 32]);
  memory.bytes[2 ** 32 - 1] = 2;
  expect(await python(context, `print(open('/dev/shm${name}', 'rb').seek(-1, 2))`)).toBe(
    `${2 ** 32 - 1}\n`,
  );
  expect(memory.read(2 ** 32 - 1)[0]).toBe(2);
}, 120_000);

const kilobytes = (status: string, key: string): number =>
  Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);

test('20,000 opens and closes leave maps, descriptors and resident size as they were', async () => {
  const { stdout, code } = await runScript(`
    const { readFileSync, readdirSync } = require('node:fs');
    const { SharedMemory } = require('@octoipc/shm');
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    async function open(times) {
      for (let i = 0; i < times; i++) {
        const memory = SharedMemory.memfd({ size: 4096 });
        memory.bytes[0] = 1;
        memory.close();
        if (i % 100 === 0) await turn();
      }
      for (let i = 0; i < 3; i++) { gc(); await turn(); }
    }
    const look = () => ({
      status: readFileSync('/proc/self/status', 'latin1'),
      maps: readFileSync('/proc/self/maps', 'latin1').split('\\n').length,
      fds: readdirSync('/proc/self/fd').length,
    });
    require('node:v8').setFlagsFromString('--expose-gc');
    globalThis.gc = require('node:vm').runInNewContext('gc');
    (async () => {
      await open(40_000); // The heap has its size after that.
      const before = look();
      await open(20_000);
      console.log(JSON.stringify([before, look()]));
    })();
  `);
  expect(code).toBe(0);
  type Look = { status: string; maps: number; fds: number };
  const [before, after] = JSON.parse(stdout) as [Look, Look];
  expect(after.fds).toBe(before.fds);
  // V8's own heap comes and goes in chunks.
  expect(after.maps - before.maps).toBeLessThan(100);
  const grown = (key: string): number =>
    (kilobytes(after.status, key) - kilobytes(before.status, key)) / 1024;
  expect(grown('VmRSS')).toBeLessThan(16);
  expect(grown('VmSize')).toBeLessThan(64);
}, 120_000);

test('a POSIX object of 4 GiB, of which two pages are there, is mapped whole', async (context) => {
  const path = `/dev/shm${freshName()}`;
  const fd = openSync(path, 'w+', 0o600);
  onTestFinished(() => SharedMemory.unlink(path.slice('/dev/shm'.length)));
  ftruncateSync(fd, 2 ** 32);
  const memory = closing(SharedMemory.fromFd(fd));
  memory.bytes[0] = 1;
  memory.bytes[2 ** 32 - 1] = 2;
  const code = `
import os
fd = os.open('${path}', os.O_RDONLY)
print(os.pread(fd, 1, 0)[0], os.pread(fd, 1, 2 ** 32 - 1)[0])
`;
  expect(await python(context, code)).toBe('1 2\n');
  expect(readFileSync('/proc/self/maps', 'latin1')).toContain(path);
});
