// faults.mjs [--quick] [--minutes M] [--seed N]: `npm run faults` as a step of the reliability run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { run, SKIPPED } from '../run.mjs';
import { mechanismOf, resultsIn, Rows } from './rows.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    // It takes what so many faults take.
    minutes: { type: 'string' },
    seed: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'faults.json');
const program = join(import.meta.dirname, '..', 'faults.mjs');
const status = await run(process.execPath, [
  program,
  ...(values.quick ? ['--quick'] : []),
  ...(values.seed === undefined ? [] : ['--seed', values.seed]),
  '--json',
  json,
]);
const results = resultsIn(json) ?? [];
rmSync(folder, { recursive: true });
if (status === SKIPPED) process.exit(SKIPPED);
const rows = new Rows('faults');
for (const { scene, injected, findings, seconds } of results) {
  const mechanism = mechanismOf(scene);
  rows.add(mechanism, { faults: injected, hours: seconds / 3600 });
  for (const { fault = 'without a fault', finding } of findings)
    rows.found(mechanism, `${scene}: ${fault}: ${finding}`);
}
rows.ended('npm run faults', status);
rows.tell();
