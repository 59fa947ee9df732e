// locks.mjs [--quick] [--minutes M]: `npm run soak -- sem-kill` as a step of the reliability run; it takes as long
// as there are steps.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, SKIPPED } from '../run.mjs';
import { packages } from '../workspace.mjs';
import { resultsIn, Rows } from './rows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'locks.json');
const sem = packages().find(({ name }) => name === 'sem');
const program = join(sem.folder, 'test', 'soak-kill.mjs');
const start = performance.now();
const quick = process.argv.includes('--quick') ? ['--quick'] : [];
const status = await run(process.execPath, [program, ...quick, '--json', json]);
const { deaths = 0, failures = [] } = resultsIn(json) ?? {};
rmSync(folder, { recursive: true });
if (status === SKIPPED) process.exit(SKIPPED);
const rows = new Rows('locks');
const hours = (performance.now() - start) / 3_600_000;
rows.add('sem', { killPoints: deaths, hours });
for (const failure of failures) rows.found('sem', failure);
rows.ended('npm run soak -- sem-kill', status);
rows.tell();
