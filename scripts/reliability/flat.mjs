// flat.mjs [--quick] [--count N]: `npm run soak -- flat` as a step of the reliability run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../run.mjs';
import { resultsIn, Rows } from './rows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const json = join(folder, 'flat.json');
const program = join(import.meta.dirname, '..', 'soak', 'flat.mjs');
const args = process.argv.slice(2);
const minutes = args.indexOf('--minutes');
// It takes what so many operations take.
if (minutes >= 0) args.splice(minutes, 2);
const status = await run(process.execPath, ['--expose-gc', program, ...args, '--json', json]);
const results = resultsIn(json) ?? [];
rmSync(folder, { recursive: true });
const rows = new Rows('flat');
for (const { name, mechanism, often, seconds, flat, grown } of results) {
  rows.add(mechanism, { inputs: often, hours: seconds / 3600 });
  if (!flat) rows.found(mechanism, `${name} grows: ${JSON.stringify(grown)}`);
}
rows.ended('npm run soak -- flat', status);
rows.tell();
