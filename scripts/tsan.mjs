// npm run tsan [-- --seconds N]: ThreadSanitizer on what shares memory without Node: the C headers of
// @octoipc/shm and its native code, in threads of one process, ten minutes each unless it is said
// otherwise. Every message is checked; a torn one, or a race, fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { sanitize } from '../packages/shm/test/sanitize.mjs';
import { run } from './run.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
const folder = mkdtempSync(join(tmpdir(), 'octoipc-tsan-'));
try {
  for (const source of ['header-threads.c', 'native-threads.cc']) {
    const program = join(folder, source.replace('.', '-'));
    sanitize(source, 'thread', program);
    if ((await run(program, [values.seconds])) !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
