// faults.mjs [--quick] [--minutes M]: `npm run faults` as a step of the reliability run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, SKIPPED } from '../run.mjs';
import { mechanismOf, Rows } from './rows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'faults.json');
const quick = process.argv.includes('--quick') ? ['--quick'] : [];
const program = join(import.meta.dirname, '..', 'faults.mjs');
const status = await run(process.execPath, [program, ...quick, '--json', json]);
if (status === SKIPPED) process.exit(SKIPPED);
const results = JSON.parse(readFileSync(json, 'utf8'));
rmSync(folder, { recursive: true });
const rows = new Rows('faults');
for (const { scene, injected, findings, seconds } of results) {
  const mechanism = mechanismOf(scene);
  rows.add(mechanism, { faults: injected, hours: seconds / 3600 });
  for (const { fault, finding } of findings)
    rows.found(mechanism, `${scene}: ${fault}: ${finding}`);
}
rows.tell();
