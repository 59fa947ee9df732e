// npm run bench:publish [-- SUITE…] [--quick] [--into FOLDER] [--minutes N]: takes all figures anew, one suite after the
// other, and writes raw figures, tables, charts and the README's headline from them. What fails is told in its
// place. With --quick, or --into a folder, nothing published is touched: everything is written there (by
// default to the scratch folder). --minutes bounds the run: rows that come later are told as not measured. With
// the names of suites those are taken anew; of the others, and of the memory, what is published stays.
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { root, scratch } from './workspace.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    into: { type: 'string' },
    minutes: { type: 'string', default: '90' },
    rows: { type: 'string' },
  },
});
await readyOrExit();
const { run } = await import('./run.mjs');

const begun = performance.now();
const isPublished = !values.quick && values.into === undefined;
const folder = isPublished
  ? join(root, 'docs', 'benchmarks')
  : resolve(values.into ?? join(scratch, 'benchmarks', 'raw'));
mkdirSync(folder, { recursive: true });
const program = (name) => join(root, 'packages', 'bench', 'src', `${name}.mjs`);
const quick = values.quick ? ['--quick'] : [];
const node = (...args) => run(process.execPath, args, { cwd: root });

const rows = values.rows === undefined ? [] : ['--rows', values.rows];
const raw = join(folder, 'results.json');
// A row that was not measured is told on the page; the others are worth it.
const isWhole = positionals.length === 0;
const how = [...quick, ...rows, '--again', '--minutes', values.minutes];
await node(program('main'), ...positionals, ...how, '--json', raw, ...(isWhole ? [] : ['--keep']));
if (isWhole) await node(program('memory'), ...quick, '--json', join(folder, 'memory.json'));
if (!existsSync(raw)) process.exit(1);
process.exitCode = await node(
  join(root, 'scripts', 'bench-report.mjs'),
  ...(isPublished ? [] : ['--into', folder]),
);
console.log(`${folder}: in ${((performance.now() - begun) / 60_000).toFixed(1)} minutes`);
