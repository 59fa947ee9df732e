// npm run release:rehearse [-- --only GROUP,…] [-- --packages NAME,…] [-- --page]: a release from beginning to end, on this
// machine: the binaries, a registry on 127.0.0.1 that gets every package, empty projects that install from it, other
// processors and C libraries, musl by a runtime for it, the suites for arm64, a virtual machine, runtimes, bundlers and
// compilers that use what was installed, a patch that moves one package and what depends on it, somebody who comes new, and
// the whole suites under every runtime. With --packages, the whole suites for arm64 are those of these packages, in this
// order. Rehearses what is committed; leaves nothing. A table says what was tried; after all of it, and with --page,
// docs/platforms.md does too.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { writeResults } from './machine/results.mjs';
import { recordPlatforms } from './platforms-record.mjs';
import { readyOrExit } from './ready.mjs';
import { Stage } from './rehearsal/stage.mjs';
import { Steps } from './step.mjs';
import { publicPackages } from './workspace.mjs';

/** In this order: what comes later uses what came before. */
const GROUPS = [
  'binaries',
  'registry',
  'platforms',
  'musl',
  'emulated',
  'machine',
  'runtimes',
  'programs',
  'suite',
  'patch',
  'newcomer',
  'suites',
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    packages: { type: 'string', multiple: true },
    page: { type: 'boolean', default: false },
  },
});

/** The names that are given for one of these, or all. */
function chosen(lists, all, what) {
  const names = lists?.flatMap((list) => list.split(',')) ?? all;
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`no ${what} ${unknown.join(', ')}; there are ${all.join(', ')}`);
    process.exit(2);
  }
  return names;
}

const wanted = chosen(values.only, GROUPS, 'group');
const names = publicPackages().map(({ name }) => name);
const packages = chosen(values.packages, names, 'package');

await readyOrExit();
const { writePages } = await import('./pages.mjs');
const steps = new Steps();
const stage = new Stage(steps, packages);
try {
  if (await stage.set(wanted.includes('binaries'))) {
    for (const group of GROUPS.slice(1)) {
      // Nothing can be installed from a registry that has nothing.
      if (group !== 'registry' && !wanted.includes(group)) continue;
      const { rehearse } = await import(`./rehearsal/${group}.mjs`);
      await rehearse(steps, stage);
      if (group === 'registry' && steps.failed > 0) break;
    }
  }
} finally {
  await stage.strike();
}
const count = (verdict) => steps.rows.filter((row) => row.verdict === verdict).length;
console.log(
  `\nrehearsed: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`,
);
if (values.page || values.only === undefined) {
  if (stage.machine !== undefined) writeResults(stage.machine);
  await recordPlatforms(steps.rows, values.packages === undefined ? undefined : 'emulated');
  await writePages();
}
if (existsSync(stage.folder)) console.log(`${stage.folder} is still there`);
process.exitCode = count('failed') === 0 ? 0 : 1;
