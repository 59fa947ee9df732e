import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { rt, send } from '@octoipc/signal';
import { afterAll, describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { outside } from './outside.js';
import { watching, type Seen } from './program.js';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-signal-'));
afterAll(() => rmSync(folder, { recursive: true }));

const missing = (tool: string): boolean => {
  const lacks = spawnSync(tool, ['--version']).error !== undefined;
  if (lacks) console.log(`skipped: ${tool} is not installed`);
  return lacks;
};

const C = `
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv) {
  if (argc > 1) {
    union sigval value = {.sival_ptr = (void *)strtoul(argv[3], NULL, 0)};
    return sigqueue(atoi(argv[1]), atoi(argv[2]), value) != 0;
  }
  sigset_t set;
  sigfillset(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
  puts("ready");
  fflush(stdout);
  siginfo_t info;
  while (sigwaitinfo(&set, &info) > 0) {
    printf("%d %d %d %d\\n", info.si_signo, info.si_code, info.si_pid, info.si_value.sival_int);
    fflush(stdout);
  }
}
`;

const PYTHON = `
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
print('ready', flush=True)
while True:
    info = signal.sigwaitinfo(range(1, 65))
    print(info.si_signo, info.si_code, info.si_pid, flush=True)
`;

const PYTHON_SENDS = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
pid, number, value = map(int, sys.argv[1:])
sys.exit(libc.sigqueue(pid, number, ctypes.c_void_p(value)))
`;

const PERL = `
use POSIX;
$SIG{"NUM" . shift} = sub { syswrite(STDOUT, "real-time\\n") };
$SIG{USR2} = sub { syswrite(STDOUT, "USR2\\n") };
syswrite(STDOUT, "ready\\n");
sleep 60 while 1;
`;

const program = join(folder, 'signal-peer');
const haveC = !missing('cc');
if (haveC) execFileSync('cc', ['-O1', '-Wall', '-x', 'c', '-o', program, '-'], { input: C });

describe('what others send', () => {
  const senders = {
    'kill -q': { tool: '/bin/kill', args: ['-s', String(outside(rt(6))), '-q', '77'], pid: 'last' },
    python: { tool: 'python3', args: ['-c', PYTHON_SENDS], pid: 'first' },
    C: { tool: program, args: [], pid: 'first' },
  } as const;

  test.each(Object.entries(senders))('%s sends a value', async (_, { tool, args, pid }) => {
    if (missing(tool)) {
      console.log(`skipped: ${tool} is not installed`);
      return;
    }
    const peer = await watching('SIGRTMIN+6');
    const rest = pid === 'last' ? [peer.pid] : [peer.pid, outside(rt(6)), 77];
    const sender = Peer.start(tool, [...args, ...rest.map(String)]);
    const seen = await peer.report<Seen>();
    expect(seen).toMatchObject({ codeName: 'SI_QUEUE', value: 77, pid: sender.pid });
    expect((await sender.ended).code).toBe(0);
  });

  test('perl and a shell send without one', async () => {
    const peer = await watching('SIGRTMIN+6', 'SIGUSR2');
    const script = `kill "NUM${outside(rt(6))}", shift; sleep 60`;
    const perl = Peer.start('perl', ['-e', script, String(peer.pid)]);
    expect(await peer.report<Seen>()).toMatchObject({
      codeName: 'SI_USER',
      pid: perl.pid,
      command: expect.stringContaining('kill "NUM'),
    });
    const shell = Peer.start('sh', ['-c', `kill -USR2 ${peer.pid}; exec sleep 600`]);
    expect(await peer.report<Seen>()).toMatchObject({ signal: 'SIGUSR2', pid: shell.pid });
  });

  test('timeout(1) is told as who has sent SIGTERM', async () => {
    const script = new URL('./fixtures/program.mjs', import.meta.url).pathname;
    const args = ['600', process.execPath, script, 'watch', 'SIGTERM'];
    const timeout = Peer.start('timeout', ['-k', '1', ...args]);
    expect(await timeout.line()).toBe('ready');
    // It sends on what it gets, as it would when the time is over, and then kills.
    send(timeout.pid, 'SIGTERM');
    const seen = await timeout.report<Seen>();
    await timeout.ended;
    expect(seen).toMatchObject({ signal: 'SIGTERM', codeName: 'SI_USER', pid: timeout.pid });
    expect(seen.command).toMatch(/^timeout -k 1 600 /);
  });

  test.each([
    ['SI_TIMER', -2],
    ['SI_MESGQ', -3],
    ['SI_ASYNCIO', -4],
  ])('SIG-022: %s tells what it is', async (codeName, code) => {
    // rt_sigqueueinfo(2) sends what it is given, as long as the code is none that only the kernel may use.
    const python = `
import ctypes, platform, sys
pid, code = int(sys.argv[1]), int(sys.argv[2])
number = {'x86_64': 129}.get(platform.machine(), 138)
info = (ctypes.c_int * 32)(12, 0, code)
sys.exit(ctypes.CDLL(None).syscall(number, pid, 12, info) != 0)
`;
    const peer = await watching('SIGUSR2');
    const args = ['-c', python, String(peer.pid), String(code)];
    expect((await Peer.start('python3', args).ended).code).toBe(0);
    expect(await peer.report<Seen>()).toMatchObject({ codeName, code });
  });
});

describe('what others receive', () => {
  test.skipIf(!haveC)('SIG-010: C gets a value from sigwaitinfo', async () => {
    const peer = Peer.start(program, []);
    expect(await peer.line()).toBe('ready');
    send(peer.pid, 'SIGRTMIN+6', { value: -9 });
    expect(await peer.line()).toBe(`${outside(rt(6))} -1 ${process.pid} -9`);
    send(peer.pid, 'SIGUSR1', { value: 9 });
    expect(await peer.line()).toBe(`10 -1 ${process.pid} 9`);
    send(peer.pid, 'SIGUSR1');
    expect(await peer.line()).toMatch(new RegExp(`^10 0 ${process.pid}`));
  });

  test('python gets it from sigwaitinfo', async () => {
    const peer = Peer.start('python3', ['-c', PYTHON]);
    expect(await peer.line()).toBe('ready');
    send(peer.pid, 'SIGRTMIN+6', { value: 1 });
    expect(await peer.line()).toBe(`${outside(rt(6))} -1 ${process.pid}`);
    send(peer.pid, 'SIGTERM');
    expect(await peer.line()).toBe(`15 0 ${process.pid}`);
  });

  test.skipIf(missing('perl'))('perl gets it by its handlers', async () => {
    const peer = Peer.start('perl', ['-e', PERL, String(outside(rt(6)))]);
    expect(await peer.line()).toBe('ready');
    send(peer.pid, rt(6));
    expect(await peer.line()).toBe('real-time');
    send(peer.pid, 'SIGUSR2');
    expect(await peer.line()).toBe('USR2');
  });
});
