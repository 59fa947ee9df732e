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

/** How evenly the processes got their turns: Jain's index is 1 where all got the same, 1/n where one got everything. */
function fairnessOf(kind, messages, { processes, least, most, index }) {
  const all = messages.toLocaleString('en');
  const range = `${least.toLocaleString('en')} to ${most.toLocaleString('en')}`;
  return `${kind}, ${processes} processes: ${all} messages or turns, ${range} for each who sends, fairness (Jain) ${index.toFixed(3)}`;
}

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'load.json');
const program = join(import.meta.dirname, '..', 'soak', 'load.mjs');
const status = await run(process.execPath, [program, ...process.argv.slice(2), '--json', json]);
const results = resultsIn(json) ?? [];
rmSync(folder, { recursive: true });
const rows = new Rows('load');
for (const { kind, messages = 0, seconds = 0, error, ...fairness } of results) {
  const mechanism = OF[kind] ?? mechanismOf(kind);
  rows.add(mechanism, { inputs: messages, hours: seconds / 3600 });
  if (error !== undefined) rows.found(mechanism, `${kind}: ${error}`);
  else rows.remark(fairnessOf(kind, messages, fairness));
}
rows.ended('npm run soak -- load', status);
rows.tell();
