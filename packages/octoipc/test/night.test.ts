import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { mkfifo } from '@octoipc/fifo';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { KERNEL } from '../../core/test/proc.js';
import { command, home, octoipc, start } from './command.js';
import { folder, foreignObjects, ipcmk, uniqueName } from './objects.js';

describe('octoipc whose output cannot be written', () => {
  const noFull = !existsSync('/dev/full');
  if (noFull) console.log('skipped: there is no /dev/full');
  it.skipIf(noFull).each([
    ['ls', '--json'],
    ['completion', 'bash'],
    ['watch', '--interval', '20'],
  ])('says so in a line, with status 1: %s %s (where there is /dev/full)', async (...args) => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const child = spawn(process.execPath, [command, ...args], {
      stdio: ['ignore', full, 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stderr = '';
    child.stderr!.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(stderr).toMatch(/^octoipc: its output: ENOSPC: .*$/m);
    expect(stderr).not.toMatch(/^ +at |node:/m);
  });
});

describe('octoipc on a terminal', () => {
  it('escapes what was typed, too, where it complains of that', async () => {
    const odd = 'x\u001b[2J\u009b\u202e';
    for (const args of [
      [odd],
      ['ls', `--${odd}`],
      ['ls', '--kind', odd],
      ['tour', odd],
      ['tour', '--only', odd],
      ['rm', `shm:/${odd}`],
      ['completion', odd],
    ]) {
      const { status, stdout, stderr } = await octoipc(...args);
      expect({ args, status: status === 0 }).toEqual({ args, status: false });
      expect(stdout + stderr).not.toMatch(/[\u001b\u009b\u202e]/);
      expect(stderr).toMatch(/x(?:\\x1b|%1B)\[2J/);
    }
  });

  it('has no control characters in JSON either', async () => {
    const name = `${uniqueName()}\u009b31m\u202e\u{e0041}`;
    const { made } = await foreignObjects(name, folder());
    const { stdout } = await octoipc('inspect', '--json', `memfd:[${made.memfd}]`);
    expect(stdout).not.toMatch(/[\u007f-\u009f\u202e\u{e0041}]/u);
    expect(JSON.parse(stdout)).toMatchObject({ details: { memfd: name } });
    const id = `sysv-mq:id=${ipcmk('-Q')}`;
    spawnSync(process.execPath, [command, 'send', '-q', id], { input: 'a\u009bb\n' });
    const received = await octoipc('recv', '-q', '--json', '--count', '1', id);
    expect(received.stdout).toBe('{"message":"a\\u009bb"}\n');
  });

  it('shows objects on one that has no size', () => {
    const id = ipcmk('-Q');
    const script = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
said = b''
while True:
    try: chunk = os.read(terminal, 65536)
    except OSError: break
    if not chunk: break
    said += chunk
os.waitpid(pid, 0)
sys.stdout.buffer.write(said)
`;
    const args = ['watch', '--count', '1', `sysv-mq:id=${id}`];
    const said = execFileSync('python3', ['-c', script, process.execPath, command, ...args], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/1 object/);
    expect(said).toContain('sysv-mq:');
  });

  it('ends at the second ^C, whatever it waits for', async () => {
    const path = join(folder(), 'nobody-writes');
    mkfifo(path);
    const sending = start('send', '--file', path, `sysv-mq:id=${ipcmk('-Q')}`);
    await vi.waitUntil(() => isOpening(sending.pid!), { timeout: 20_000 });
    const closed = once(sending, 'close');
    const again = setInterval(() => sending.kill('SIGINT'), 100);
    onTestFinished(() => clearInterval(again));
    await closed;
    expect(sending.signalCode).toBe('SIGINT');
  });
});

const OPENAT = KERNEL === 'arm64' ? 56 : 257;

/** Whether a thread of a process waits for somebody to open a FIFO. */
function isOpening(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).some((thread) => {
    try {
      const call = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1');
      return Number.parseInt(call, 10) === OPENAT;
    } catch {
      return false; // It has ended.
    }
  });
}

describe('octoipc', () => {
  it('takes no time over 24 days, which timers would take for none', async () => {
    for (const args of [
      ['watch', '--interval', '999999m'],
      ['recv', '--timeout', '3000000s', 'mq:/x'],
    ]) {
      const { status, stderr } = await octoipc(...args);
      expect(status).toBe(2);
      expect(stderr).toContain('24 days');
    }
  });

  it('removes a thousand objects with one look at the machine', async () => {
    const name = uniqueName();
    const urls = Array.from({ length: 1000 }, (_, index) => `shm:/${name}-${index}`);
    onTestFinished(() => urls.forEach((url) => rmSync(`/dev/shm${url.slice(4)}`, { force: true })));
    for (const url of urls) writeFileSync(`/dev/shm${url.slice(4)}`, '');
    const trace = join(folder(), 'trace');
    const script = `
const fs = require('node:fs');
const { readdirSync } = fs;
let looks = 0;
fs.readdirSync = (path, ...rest) => { looks += path === '/proc' ? 1 : 0; return readdirSync(path, ...rest); };
require('node:module').syncBuiltinESMExports();
process.on('exit', () => fs.writeFileSync(${JSON.stringify(trace)}, String(looks)));
`;
    const preload = join(folder(), 'counts.cjs');
    writeFileSync(preload, script);
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--require', preload, command, 'rm', ...urls],
      { cwd: home, encoding: 'utf8' },
    );
    expect({ status, lines: stdout.split('\n').length }).toEqual({ status: 0, lines: 1001 });
    expect(Number(readFileSync(trace, 'utf8'))).toBe(1);
  });

  it.each([
    ['--keep', ['recv', '--keep']],
    ['--max-size', ['recv', '--max-size', '5']],
    ['--priority', ['send', '--priority', '3']],
    ['--mode without --create', ['send', '--mode', '600']],
  ])('refuses what it could not honour beside --type: %s', async (_, [verb, ...args]) => {
    const id = `sysv-mq:id=${ipcmk('-Q')}`;
    const said = await octoipc(verb!, ...args, '--type', '3', '--timeout', '1', id);
    expect(said).toMatchObject({ status: 2, stdout: '' });
  });

  it('says what makes a queue that is missing, also where a type is asked for', async () => {
    const { status, stderr } = await octoipc('recv', '--type', '1', 'sysv-mq:0x7fabcdef');
    expect(status).toBe(1);
    expect(stderr).toMatch(/ENOENT.*--create makes it/);
  });

  it('gives up a line that is longer than any message, and does not gather all of it', () => {
    const id = `sysv-mq:id=${ipcmk('-Q')}`;
    const line = `head -c 100000000 /dev/zero | "$0" --max-old-space-size=64 "$1" send "$2"; echo "$?"`;
    const { stdout, stderr } = spawnSync('sh', ['-c', line, process.execPath, command, id], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('1\n');
    expect(stderr).toMatch(/EMSGSIZE: a line of more than \d+ bytes/);
  });
});
