// kills.mjs [--quick] [--minutes M]: an hour of kill -9 at random moments, alone and beside a rival, of whatever
// leaves state in the kernel or the file system (scripts/reliability/kills.mjs).
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { run } from '../run.mjs';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, minutes: { type: 'string' } },
});
const minutes = values.minutes ?? (values.quick ? '0.2' : '60');
const program = join(import.meta.dirname, '..', 'reliability', 'kills.mjs');
process.exitCode = await run(process.execPath, [program, '--random', '--minutes', minutes]);
