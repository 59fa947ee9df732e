import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const script = fileURLToPath(new URL('fixtures/without-pidfd.mjs', import.meta.url));
const noTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0;
if (noTrace) console.log('skipped: strace is not installed, or may not trace here');

interface Report {
  readonly outcomes: readonly object[];
  readonly left: number;
}

/** What comes of the script's programs, under strace with these options if any. */
async function played(...options: readonly string[]): Promise<Report> {
  const program = [process.execPath, script];
  if (options.length === 0) return Peer.start(program[0]!, program.slice(1)).report();
  return Peer.start('strace', ['-f', '-qq', '-o', '/dev/null', ...options, ...program]).report();
}

// By qemu-user clone(2) makes no pidfd, and vfork(2) is fork(2).
test.skipIf(noTrace)('a program starts all the same where clone() makes no pidfd', async () => {
  const usual = await played();
  expect(usual.outcomes).toMatchObject([
    { said: 'said\n', code: 3 },
    { code: null, signal: 'SIGTERM' },
    { said: '/dev/null\n', code: 0 },
    { code: 'ENOENT', syscall: 'execve' },
    { code: 'ENOENT', syscall: 'chdir' },
  ]);
  // Each first try: the second is without.
  const without = await played('-e', 'trace=clone', '-e', 'inject=clone:error=EINVAL:when=1+2');
  expect(without).toEqual({ ...usual, left: 0 });
});
