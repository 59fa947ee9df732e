// locks.mjs [--quick] [--minutes M]: `npm run soak -- sem-kill` as a step of the reliability run; it takes as long
// as there are steps.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, SKIPPED } from '../run.mjs';
import { packages } from '../workspace.mjs';
import { Rows } from './rows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'locks.json');
const sem = packages().find(({ name }) => name === 'sem');
const program = join(sem.folder, 'test', 'soak-kill.mjs');
const start = performance.now();
const quick = process.argv.includes('--quick') ? ['--quick'] : [];
await run(process.execPath, [program, ...quick, '--json', json]);
const results = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined;
rmSync(folder, { recursive: true });
if (results === undefined) process.exit(SKIPPED);
const rows = new Rows('locks');
const hours = (performance.now() - start) / 3_600_000;
rows.add('sem', { killPoints: results.deaths, hours });
for (const failure of results.failures) rows.found('sem', failure);
rows.tell();
