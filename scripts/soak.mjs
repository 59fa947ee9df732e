// npm run soak [-- NAME…] [--quick] [--messages N] [--minutes M] [--progress FILE]: makes the workspace ready and runs
// what takes long and tries to lose something: what is named, or all. PACKAGE is its test/soak.mjs, PACKAGE-NAME
// its test/soak-NAME.mjs, and the rest are the programs of scripts/soak, which are about many packages. The last
// three options are for one of them, whose program says whether it knows them.
import { existsSync, readdirSync } from 'node:fs';
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
/** Where each is. @type {Map<string, string>} */
const programs = new Map();
for (const { name } of packages()) {
  const folder = join(root, 'packages', name, 'test');
  for (const file of existsSync(folder) ? readdirSync(folder).toSorted() : []) {
    const part = /^soak(?<part>-.*)?\.mjs$/.exec(file);
    if (part !== null) programs.set(`${name}${part.groups?.part ?? ''}`, join(folder, file));
  }
}
for (const name of ['load', 'flat', 'kills']) {
  programs.set(name, join(root, 'scripts', 'soak', `${name}.mjs`));
}
// The short form of that is a step of npm run reliability.
const all = [...programs.keys()].filter((name) => !(values.quick && name === 'kills'));
const named = positionals.length === 0 ? all : positionals;
const unknown = named.filter((name) => !programs.has(name));
if (unknown.length > 0) {
  console.error(`no soak of ${unknown.join(', ')}; there are ${[...programs.keys()].join(', ')}`);
  process.exit(2);
}

const more = ['messages', 'minutes', 'progress'].flatMap((option) =>
  values[option] === undefined ? [] : [`--${option}`, values[option]],
);
if (more.length > 0 && positionals.length !== 1) {
  console.error(`${more[0]} needs the name of one soak`);
  process.exit(2);
}

await readyOrExit();
const { run, SKIPPED } = await import('./run.mjs');
for (const name of named) {
  const status = await run(process.execPath, [
    '--expose-gc',
    programs.get(name),
    ...(values.quick ? ['--quick'] : []),
    ...more,
  ]);
  if (status !== 0 && status !== SKIPPED) process.exitCode = 1;
}
