// load.mjs [--quick] [--minutes M]: `npm run soak -- load` as a step of the reliability run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../run.mjs';
import { mechanismOf, resultsIn, Rows } from './rows.mjs';

const OF = {
  'POSIX queue': 'mq',
  'System V queue': 'mq',
  ring: 'shm',
  lock: 'sem',
  server: 'socket',
};

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'load.json');
const program = join(import.meta.dirname, '..', 'soak', 'load.mjs');
const status = await run(process.execPath, [program, ...process.argv.slice(2), '--json', json]);
const results = resultsIn(json) ?? [];
rmSync(folder, { recursive: true });
const rows = new Rows('load');
for (const { kind, messages = 0, seconds = 0, error } of results) {
  const mechanism = OF[kind] ?? mechanismOf(kind);
  rows.add(mechanism, { inputs: messages, hours: seconds / 3600 });
  if (error !== undefined) rows.found(mechanism, `${kind}: ${error}`);
}
rows.ended('npm run soak -- load', status);
rows.tell();
