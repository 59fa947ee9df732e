import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { file, octoipc, start } from './command.js';

const LARGE = 256 * 1024 * 1024;

describe('octoipc tour --json', () => {
  it('prints a result for each row and nothing else', async () => {
    const path = file('x'.repeat(200_000));
    const { status, stdout, stderr } = await octoipc('tour', path, '--json', '--only', 'pipe');
    expect(status).toBe(0);
    expect(stderr).toBe('');
    const number = expect.any(Number) as number;
    const measured = { milliseconds: number, megabytesPerSecond: number };
    const common = { mechanism: 'pipe', bytes: 200_000, verified: true, ...measured };
    expect(JSON.parse(stdout)).toEqual([
      { ...common, what: expect.any(String) as string, messages: 0 },
      { ...common, what: expect.any(String) as string, messages: 4 },
    ]);
  });

  it('verifies an empty file', async () => {
    const { status, stdout } = await octoipc('tour', file(''), '--json', '--only', 'pipe');
    expect(status).toBe(0);
    const results = JSON.parse(stdout) as object[];
    expect(results).toHaveLength(2);
    for (const result of results) {
      const nothing = { bytes: 0, messages: 0, megabytesPerSecond: 0, verified: true };
      expect(result).toMatchObject(nothing);
    }
  });

  it('takes the file as it is, where its size is no multiple of anything', async () => {
    const { stdout } = await octoipc('tour', file(4 * 1024 * 1024 + 1), '--json', '--only', 'pipe');
    expect(JSON.parse(stdout)).toMatchObject([
      { bytes: 4_194_305, messages: 0, verified: true },
      { bytes: 4_194_305, messages: 65, verified: true },
    ]);
  });
});

describe('octoipc tour', () => {
  it("shows Node's own binary, a sentence for each mechanism and a table", async () => {
    const { status, stdout, stderr } = await octoipc('tour');
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain(process.execPath);
    expect(stdout).toContain(process.version);
    expect(stdout).toMatch(/^ +pipe +\S.* \S/m);
    expect(stdout).toMatch(/^mechanism +what it did +bytes +messages +time +MB\/s +verified/m);
    expect(stdout.match(/^pipe .* yes *$/gm)).toHaveLength(2);
    expect(stderr.match(/^pipe .* verified$/gm)).toHaveLength(2);
    // Neither is a terminal, so nothing is coloured or rewritten.
    expect(stdout + stderr).not.toMatch(/[\u001b\r]/);
  });

  it('takes names in --only separated by commas, and more than once', async () => {
    const args = ['tour', file('x'), '--json', '--only', 'pipe,pipe', '--only', 'pipe'];
    const { status, stdout } = await octoipc(...args);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(2);
  });

  it.each([
    ['a mechanism that there is not', ['--only', 'pigeon']],
    ['no mechanism', ['--only', '']],
    ['an option that there is not', ['--fast']],
    ['two files', ['a', 'b']],
    ['a file that there is not', [join(tmpdir(), 'octoipc-no-such-file')]],
    ['a directory', [tmpdir()]],
    ['a path through a file', [join(process.execPath, 'x')]],
    ['a device', ['/dev/null']],
  ])('ends with status 2 and a message when given %s', async (_, args) => {
    const { status, stdout, stderr } = await octoipc('tour', ...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/\S/);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.skipIf(process.getuid?.() === 0)(
    'ends with status 2 and a message when the file is unreadable (as root every file is readable)',
    async () => {
      const path = file('secret');
      chmodSync(path, 0);
      expect(await octoipc('tour', path)).toMatchObject({ status: 2, stdout: '' });
    },
  );

  it('ends quietly when whoever reads its output leaves', async () => {
    const tour = start('tour', file('x'), '--only', 'pipe');
    let stderr = '';
    tour.stderr!.on('data', (chunk) => (stderr += String(chunk)));
    tour.stdout!.destroy();
    const [status] = (await once(tour, 'close')) as [number];
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|^ +at /m);
  });
});

describe.skipIf(process.platform !== 'linux')('octoipc tour, ended from outside', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'leaves no process and no output of --json behind on %s',
    async (signal, expected) => {
      const tour = start('tour', '--json', file(LARGE));
      let stdout = '';
      tour.stdout!.on('data', (chunk) => (stdout += String(chunk)));
      const peer = await childOf(tour.pid!);
      tour.kill(signal);
      const [status] = (await once(tour, 'close')) as [number];
      expect(status).toBe(expected);
      expect(stdout).toBe('');
      expect(runs(peer)).toBe(false);
    },
  );

  it('leaves no process behind when it is killed', async () => {
    const tour = start('tour', file(LARGE));
    const peer = await childOf(tour.pid!);
    tour.kill('SIGKILL');
    await until(() => !runs(peer));
  });
});

/** The first child of a process, as soon as it has one. */
async function childOf(pid: number): Promise<number> {
  const children = (): number =>
    Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'));
  await until(() => children() > 0);
  return children();
}

/** Whether a process runs: one that has ended stays in /proc until init has taken note. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** Waits for what nobody tells; the test's watchdog bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2);
}
