import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

const PAIRS = 20_000;
/** V8 and malloc take memory, and give it back, now and then: when depends on the version of Node. */
const OF_MEMORY = /^(brk|mmap|munmap|mprotect|madvise)\(/;
const script = fileURLToPath(new URL('./fixtures/uncontended.mjs', import.meta.url));
const noTracer = spawnSync('strace', ['-V']).error !== undefined;
if (noTracer) console.log('skipped: strace is not installed');

/** System calls of the thread that runs JavaScript, between the marks that the fixture makes by chdir(2). */
function callsOf(scene: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-strace-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const trace = join(folder, 'trace');
  // A young generation in which there is room for all, and no thread that helps: what V8 itself calls is not ours.
  const quiet = ['--single-threaded', '--min-semi-space-size=64', '--max-semi-space-size=64'];
  const args = ['-o', trace, process.execPath, ...quiet, script, scene, String(PAIRS)];
  const { status, stderr } = spawnSync('strace', args, {
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const lines = readFileSync(trace, 'latin1').split('\n');
  const [from = -1, to = -1] = lines.flatMap((line, at) =>
    line.startsWith('chdir("/")') ? [at] : [],
  );
  expect(to).toBeGreaterThan(from);
  return lines.slice(from + 1, to);
}

test.skipIf(noTracer).each(['permit', 'mutex', 'reader', 'writer'])(
  `${PAIRS} uncontended pairs make no system call: %s`,
  (scene) => {
    const calls = callsOf(scene);
    expect(calls.filter((line) => !OF_MEMORY.test(line))).toEqual([]);
    expect(calls.length).toBeLessThan(PAIRS / 100);
  },
  60_000,
);

test.skipIf(noTracer)(
  'the same way of counting sees those that a set makes',
  () => {
    expect(callsOf('set').filter((line) => line.startsWith('sem')).length).toBe(2 * PAIRS);
  },
  120_000,
);
