// npm run soak [-- NAME…] [--quick] [--messages N] [--minutes M] [--progress FILE]: makes the workspace ready and runs
// what takes long and tries to lose something: test/soak.mjs of the packages that are named, `load` and `flat` of
// scripts/soak, or all. The last three are for one of them, whose program says whether it knows them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { packages, root } from './workspace.mjs';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    messages: { type: 'string' },
    minutes: { type: 'string' },
    progress: { type: 'string' },
  },
  allowPositionals: true,
});
/** Of all packages together. */
const ACROSS = new Map([
  ['load', join(root, 'scripts', 'soak', 'load.mjs')],
  ['flat', join(root, 'scripts', 'soak', 'flat.mjs')],
]);
const programOf = (name) => ACROSS.get(name) ?? join(root, 'packages', name, 'test', 'soak.mjs');
const all = [...packages().map(({ name }) => name), ...ACROSS.keys()].filter((name) =>
  existsSync(programOf(name)),
);
const named = positionals.length === 0 ? all : positionals;
const unknown = named.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no soak of ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(2);
}

const more = ['messages', 'minutes', 'progress'].flatMap((option) =>
  values[option] === undefined ? [] : [`--${option}`, values[option]],
);
if (more.length > 0 && positionals.length !== 1) {
  console.error(`${more[0]} needs the name of one package`);
  process.exit(2);
}

await readyOrExit();
const { run } = await import('./run.mjs');
for (const name of named) {
  const status = await run(process.execPath, [
    '--expose-gc',
    programOf(name),
    ...(values.quick ? ['--quick'] : []),
    ...more,
  ]);
  if (status !== 0) process.exitCode = 1;
}
