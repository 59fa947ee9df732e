import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { KERNEL } from '../../core/test/proc.js';

const script = fileURLToPath(new URL('fixtures/without-pidfd.mjs', import.meta.url));
const noTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0;
const why = noTrace
  ? 'strace is not installed, or may not trace'
  : KERNEL !== process.arch
    ? 'by qemu-user all programs start like this'
    : undefined;
if (why !== undefined) console.log(`skipped: ${why}`);
if (noTrace) console.log('skipped: strace is not installed, or may not trace here');

interface Report {
  readonly outcomes: readonly object[];
  readonly left: number;
}

/** What comes of the script's programs, started by this command. */
const played = (...command: readonly [string, ...string[]]): Promise<Report> =>
  Peer.start(command[0], [...command.slice(1), process.execPath, script]).report();

// By qemu-user clone(2) makes no pidfd, and vfork(2) is fork(2): there this is how all programs start.
test.skipIf(why !== undefined)(
  'a program starts all the same where clone() makes no pidfd',
  async () => {
    const usual = await played('env');
    expect(usual.outcomes).toMatchObject([
      { said: 'said\n', code: 3 },
      { code: null, signal: 'SIGTERM' },
      { said: '/dev/null\n', code: 0 },
      { code: 'ENOENT', syscall: 'execve' },
      { code: 'ENOENT', syscall: 'chdir' },
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-popen-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = join(folder, 'log');
    // Each first try: the second is without.
    const inject = ['-e', 'trace=clone', '-e', 'inject=clone:error=EINVAL:when=1+2'];
    expect(await played('strace', '-f', '-qq', '-o', log, ...inject)).toEqual({
      ...usual,
      left: 0,
    });
    const tries = readFileSync(log, 'latin1').match(/clone\(.*CLONE_VFORK.*/g) ?? [];
    const refused = tries.filter((line) => /CLONE_PIDFD.*INJECTED/.test(line));
    expect([tries.length, refused.length]).toEqual([12, 6]);
  },
);
