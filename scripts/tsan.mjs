// npm run tsan [-- --seconds N] [--only NAME]: ThreadSanitizer on what threads share without Node: the C headers of
// @octoipc/shm and its native code, the keepers and watches of @octoipc/sem, the threads that wait, call and tell for
// JavaScript, those of System V queues, of signals and of programs; ten minutes each unless it is said otherwise. What
// they give is checked; what is torn or lost, or a race, fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compileProgram, THREADED } from './reliability/native-programs.mjs';
import { capture } from './run.mjs';

/**
 * Runs the programs, each for so many seconds.
 *
 * @param seconds - how long each
 * @param only - of which package; all if it is undefined
 * @returns of each `{ name, source, seconds, counted, failure }`: how much it says that it did, and what was wrong
 */
export async function watchThreads(seconds, only) {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-tsan-'));
  const results = [];
  try {
    for (const program of THREADED.filter(({ name }) => only === undefined || name === only)) {
      const { name, source } = program;
      const binary = join(folder, `${name}-${source.replace('.', '-')}`);
      // It sees no fences, which here order nothing but atomic words, whose races it does not look for.
      compileProgram(program, ['-fsanitize=thread', '-Wno-tsan'], binary);
      const began = performance.now();
      const { status, output, timedOut } = await capture(binary, [String(seconds)], {
        timeout: (seconds * 10 + 60) * 1000,
        env: { ...process.env, TSAN_OPTIONS: 'halt_on_error=1:exitcode=66' },
      });
      console.log(`${name}: ${source}: ${output.trim()}`);
      const counted = (output.match(/\b\d+\b/g) ?? []).reduce((sum, one) => sum + Number(one), 0);
      const wrong = timedOut ? 'does not end' : status === 0 ? undefined : `status ${status}`;
      results.push({
        name,
        source,
        seconds: (performance.now() - began) / 1000,
        counted: wrong === undefined ? counted : 0,
        failure: wrong && `${/WARNING: .*/.exec(output)?.[0] ?? ''} ${wrong}`.trim(),
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return results;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '600' }, only: { type: 'string' } },
  });
  const results = await watchThreads(Number(values.seconds), values.only);
  if (results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}
