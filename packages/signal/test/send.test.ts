import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import {
  exists,
  openProcess,
  rt,
  send,
  sendGroup,
  sendThread,
  signals,
  SIGRTMAX,
  SIGRTMIN,
  threadId,
  watch,
} from '@octoipc/signal';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { failure, gonePid, program, watching, type Seen } from './program.js';

const watcherOf = (...names: string[]): ReturnType<typeof watch> => {
  const watcher = watch(names as 'SIGINT'[]);
  onTestFinished(() => watcher.close());
  return watcher;
};

const asNobody = (...command: string[]): ReturnType<typeof spawnSync> =>
  spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...command]);
/** What another user may run as well: the python of this user's path may be nobody else's. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const noStranger = asNobody(PYTHON, '-c', '').status !== 0;
if (noStranger) console.log('skipped: this user may not become another that can run python3');

describe('send()', () => {
  test('SIG-001: reaches the process, which is told who has sent it', async () => {
    const peer = await watching('SIGUSR2');
    send(peer.pid, 'SIGUSR2');
    expect(await peer.report<Seen>()).toMatchObject({
      signal: 'SIGUSR2',
      code: 0,
      codeName: 'SI_USER',
      pid: process.pid,
      uid: process.getuid?.(),
      coalesced: true,
    });
  });

  test('SIG-010: sends a value, with its sign', async () => {
    const peer = await watching('SIGRTMIN+2', 'SIGUSR2');
    for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      send(peer.pid, 'SIGRTMIN+2', { value });
      const seen = await peer.report<Seen>();
      expect(seen).toMatchObject({ code: -1, codeName: 'SI_QUEUE', pid: process.pid, value });
    }
    send(peer.pid, 'SIGUSR2', { value: 5 });
    expect(await peer.report<Seen>()).toMatchObject({ signal: 'SIGUSR2', value: 5 });
  });

  test('SIG-011: sends 64 bits as a bigint, of which the value has the low 32', async () => {
    const peer = await watching('SIGRTMIN+2');
    send(peer.pid, 'SIGRTMIN+2', { value: 0x1234_5678_ffff_fffen });
    const seen = await peer.report<Seen>();
    expect(seen).toMatchObject({ pointer: String(0x1234_5678_ffff_fffen), value: -2 });
    send(peer.pid, 'SIGRTMIN+2', { value: -1n });
    expect(await peer.report<Seen>()).toMatchObject({ pointer: String(2n ** 64n - 1n) });
  });

  test('SIG-004 SIG-013: rejects with ESRCH where there is no such process', async () => {
    const pid = await gonePid();
    const gone = failure({ code: 'ESRCH', target: pid });
    expect(() => send(pid, 'SIGUSR2')).toThrow(gone);
    expect(() => send(pid, 'SIGRTMIN', { value: 1 })).toThrow(gone);
    expect(exists(pid)).toBe(false);
  });

  test('SIG-006 SIG-008 SIG-014: refuses 0, -1 and 1, and whatever is no pid', () => {
    const outOfRange = failure({ code: 'ERR_OUT_OF_RANGE' });
    for (const pid of [0, -1, 1, -process.pid, NaN, 1.5, Infinity, 2 ** 31, -(2 ** 31)]) {
      expect(() => send(pid, 'SIGUSR2')).toThrow(outOfRange);
      expect(() => send(pid, 'SIGUSR2', { value: 1 })).toThrow(outOfRange);
    }
    const wrong = failure({ code: 'ERR_INVALID_ARG_TYPE' });
    for (const pid of [undefined, null, '1', 1n, {}, true]) {
      expect(() => send(pid as number, 'SIGUSR2')).toThrow(wrong);
    }
    expect(() => sendGroup(1, 'SIGUSR2')).toThrow(outOfRange);
    expect(() => sendGroup(-1, 'SIGUSR2')).toThrow(outOfRange);
  });

  test('SIG-003 SIG-012 SIG-018: refuses what is no signal, 0, and those of the C library', () => {
    const outOfRange = failure({ code: 'ERR_OUT_OF_RANGE' });
    for (const signal of [0, -1, 65, 1.5, NaN]) {
      expect(() => send(process.pid, signal)).toThrow(outOfRange);
    }
    const unknown = failure({ code: 'ERR_INVALID_ARG_VALUE' });
    const names = [
      '',
      'sigterm',
      'TERM',
      'SIGRT',
      'SIGRTMIN+31',
      'SIGRTMIN+01',
      'SIGRTMAX-31',
      'SIGRTMAX-01',
    ];
    for (const signal of [...names, '15', '015', 'SIGTERM\0', 'SIGNAL', 'toString', 32, 33]) {
      expect(() => send(process.pid, signal as 'SIGTERM')).toThrow(unknown);
    }
  });

  test('SIG-010: refuses values over 32 bits, and bigints over 64', () => {
    const outOfRange = failure({ code: 'ERR_OUT_OF_RANGE' });
    for (const value of [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, 2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(() => send(process.pid, 'SIGUSR2', { value })).toThrow(outOfRange);
    }
    const wrong = failure({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => send(process.pid, 'SIGUSR2', { value: '1' as never })).toThrow(wrong);
  });

  test('SIG-018 SIG-038: names real-time signals, which Node does not', async () => {
    expect([SIGRTMIN, SIGRTMAX, rt(0), rt(30)]).toEqual([34, 64, 34, 64]);
    expect(signals).toMatchObject({ SIGTERM: 15, SIGRTMIN: 34, 'SIGRTMIN+1': 35, SIGRTMAX: 64 });
    expect(() => process.kill(process.pid, 'SIGRTMIN')).toThrow(TypeError);
    for (const [name, same] of [
      ['SIGRTMIN+0', 'SIGRTMIN'],
      ['SIGRTMIN+30', 'SIGRTMAX'],
      ['SIGRTMAX-0', 'SIGRTMAX'],
      ['SIGRTMAX-30', 'SIGRTMIN'],
    ] as const) {
      using watcher = watch(name);
      expect(watcher.signals).toEqual([same]);
    }
    const peer = await watching('SIGRTMAX-1');
    process.kill(peer.pid, SIGRTMAX - 1);
    expect(await peer.report<Seen>()).toMatchObject({ signal: 'SIGRTMIN+29', codeName: 'SI_USER' });
  });

  test.skipIf(noStranger)('SIG-005 SIG-013: the kernel gives EPERM to another user', () => {
    const code = `
      import ctypes
      libc = ctypes.CDLL(None, use_errno=True)
      pid = ${process.pid}
      print(libc.kill(pid, 12), ctypes.get_errno(), libc.sigqueue(pid, 34, None), ctypes.get_errno())
    `.replaceAll(/^ +/gm, '');
    const { stdout } = asNobody(PYTHON, '-c', code);
    expect(String(stdout)).toBe('-1 1 -1 1\n');
  });
});

describe('exists()', () => {
  test('SIG-002 SIG-009: tells of a process, a zombie included, which signals do not disturb', async () => {
    const python =
      'import os,sys;pid=os.fork()\nif pid==0: os._exit(0)\nprint(pid,flush=True);sys.stdin.read()';
    const peer = Peer.start('python3', ['-c', python]);
    const zombie = Number(await peer.line());
    while (!/\) Z/.test(readFileSync(`/proc/${zombie}/stat`, 'latin1'))) await turn();
    expect(exists(zombie)).toBe(true);
    send(zombie, 'SIGUSR2');
    expect(exists(process.pid)).toBe(true);
    expect(exists(1)).toBe(true);
    expect(() => exists(0)).toThrow(failure({ code: 'ERR_OUT_OF_RANGE' }));
    using handle = openProcess(zombie);
    expect(handle.alive).toBe(false);
    expect(await handle.exited).toBeNull();
  });
});

describe('sendGroup()', () => {
  test('SIG-007: reaches everyone of a group; ESRCH where there is no such group', async () => {
    const shell = Peer.start('sh', ['-c', 'sleep 600 & echo $!; wait'], { detached: true });
    const child = Number(await shell.line());
    using one = openProcess(child);
    sendGroup(shell.pid, 'SIGTERM');
    expect((await shell.ended).signal).toBe('SIGTERM');
    expect(await one.exited).toBeNull();
    const gone = await gonePid();
    expect(() => sendGroup(gone, 'SIGTERM')).toThrow(failure({ code: 'ESRCH' }));
  });

  test('sends a value to everyone of a group', async () => {
    const peer = Peer.node(
      new URL('./fixtures/program.mjs', import.meta.url),
      ['watch', 'SIGRTMIN+3'],
      { detached: true },
    );
    expect(await peer.line()).toBe('ready');
    sendGroup(peer.pid, 'SIGRTMIN+3', { value: 33 });
    expect(await peer.report<Seen>()).toMatchObject({ value: 33, pid: process.pid });
  });
});

describe('sendThread()', () => {
  test('SIG-044 SIG-022: reaches that thread; ESRCH where the process has no such thread', async () => {
    const watcher = watcherOf('SIGRTMIN+4');
    sendThread(process.pid, threadId(), 'SIGRTMIN+4');
    expect(await watcher.wait()).toMatchObject({ codeName: 'SI_TKILL', pid: process.pid });
    sendThread(process.pid, threadId(), 'SIGRTMIN+4', { value: 4 });
    expect(await watcher.wait()).toMatchObject({ codeName: 'SI_QUEUE', value: 4 });
    const peer = await program('rest');
    expect(() => sendThread(process.pid, peer.pid, 'SIGUSR2')).toThrow(failure({ code: 'ESRCH' }));
    expect(() => sendThread(process.pid, 0, 'SIGUSR2')).toThrow(RangeError);
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
