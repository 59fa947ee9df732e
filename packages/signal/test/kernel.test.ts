import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { ignore, restoreDefault, rt, send, watch } from '@octoipc/signal';
import { describe, expect, onTestFinished, test } from 'vitest';

import { outside } from './outside.js';

const SETUP = `
import ctypes, errno, os, signal
libc = ctypes.CDLL(None, use_errno=True)
def signalfd(*numbers, fd=-1, flags=os.O_NONBLOCK):
    mask = ctypes.c_uint64(sum(1 << (number - 1) for number in numbers))
    call = 74 if os.uname().machine == 'aarch64' else 289
    made = libc.syscall(call, fd, ctypes.byref(mask), 8, flags)
    return made if made >= 0 else errno.errorcode[ctypes.get_errno()]
def read(fd, size):
    try: return len(os.read(fd, size))
    except OSError as error: return errno.errorcode[error.errno]
pid = os.getpid()
`;

/** What a program in Python prints that calls the kernel itself, and how it ends. */
function python(code: string): { said: string; signal: string | null } {
  const { stdout, signal } = spawnSync('python3', ['-c', SETUP + code]);
  return { said: String(stdout).trim(), signal };
}

const skip = spawnSync('python3', ['--version']).error !== undefined;
if (skip) console.log('skipped: python3 is not installed');

/** The sets of this process's signalfds, as /proc writes them. */
function signalfds(): bigint[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== 'anon_inode:[signalfd]') return [];
      const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
      return [BigInt(`0x${/sigmask:\s*(\w+)/.exec(text)?.[1]}`)];
    } catch {
      return [];
    }
  });
}

test('SIG-026: a watcher reads a signalfd of what is blocked, in which everything is told', async () => {
  const before = signalfds();
  const watcher = watch(['SIGRTMIN+5', 'SIGUSR2']);
  onTestFinished(() => watcher.close());
  const set = (1n << BigInt(outside(rt(5)) - 1)) | (1n << 11n);
  expect(signalfds()).toEqual([...before, set]);
  send(process.pid, 'SIGRTMIN+5', { value: 0x1_0000_0002n });
  expect(await watcher.wait()).toMatchObject({ code: -1, value: 2, pointer: 0x1_0000_0002n });
  watcher.close();
  expect(signalfds()).toEqual(before);
});

test('SIG-032: programs that Node starts do not inherit what is ignored here', () => {
  ignore('SIGUSR2');
  onTestFinished(() => restoreDefault('SIGUSR2'));
  const { stdout } = spawnSync('cat', ['/proc/self/status']);
  expect(String(stdout)).toMatch(/SigIgn:\s*0000000000000000/);
});

describe.skipIf(skip)('the kernel', () => {
  test('SIG-032: keeps what is ignored over execve', () => {
    const { said } = python(`
signal.signal(12, signal.SIG_IGN)
os.execvp('cat', ['cat', '/proc/self/status'])`);
    expect(/SigIgn:\s*(\w+)/.exec(said)?.[1]).toMatch(/8..$/);
  });

  test('SIG-027: what is not blocked does not come to a signalfd', () => {
    const { said, signal } = python(`
fd = signalfd(12)
print(read(fd, 128), flush=True)
os.kill(pid, 12)
print('never')`);
    expect([said, signal]).toEqual(['EAGAIN', 'SIGUSR2']);
  });

  test('SIG-028: refuses wrong descriptors and flags, and leaves SIGKILL out', () => {
    const { said } = python(`
print(signalfd(12, fd=99), signalfd(12, fd=0), signalfd(12, flags=1))
fd = signalfd(9, 12, 19)
print([line.split()[1] for line in open(f'/proc/self/fdinfo/{fd}') if 'sigmask' in line][0])`);
    expect(said).toBe('EBADF EINVAL EINVAL\n0000000000000800');
  });

  test('SIG-029: a read gives whole records, as many as there is room for', () => {
    const { said } = python(`
signal.pthread_sigmask(signal.SIG_BLOCK, [10, 12])
fd = signalfd(10, 12)
os.kill(pid, 10); os.kill(pid, 12)
print(read(fd, 127), read(fd, 256), read(fd, 128))`);
    expect(said).toBe('EINVAL 256 EAGAIN');
  });

  test('SIG-030: a signalfd gives whoever reads what is pending for him', () => {
    const { said } = python(`
signal.pthread_sigmask(signal.SIG_BLOCK, [12])
fd = signalfd(12)
os.kill(pid, 12)
child = os.fork()
if child == 0:
    print(read(fd, 128), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(read(fd, 128))`);
    expect(said).toBe('EAGAIN\n128');
  });

  test('SIG-051: an eventfd, by which watchers ring each other, adds up', () => {
    const { said } = python(`
fd = os.eventfd(0, os.EFD_NONBLOCK)
def value():
    try: return os.eventfd_read(fd)
    except OSError as error: return errno.errorcode[error.errno]
def write(data):
    try: return os.write(fd, data)
    except OSError as error: return errno.errorcode[error.errno]
print(value(), write(b'\\xff' * 8), write(b'1'), read(fd, 4))
os.eventfd_write(fd, 2); os.eventfd_write(fd, 3)
print(value(), value())
fd = os.eventfd(2, os.EFD_NONBLOCK | os.EFD_SEMAPHORE)
print(value(), value(), value())`);
    expect(said).toBe('EAGAIN EINVAL EINVAL EINVAL\n5 EAGAIN\n1 1 EAGAIN');
  });
});
