// npm run soak [-- PACKAGE…] [--quick]: makes the workspace ready and runs what takes long and tries to
// lose something: test/soak.mjs of the packages that are named, or of all that have one. PACKAGE-NAME is its
// test/soak-NAME.mjs.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { packages, root } from './workspace.mjs';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
/** Where each is. @type {Map<string, string>} */
const programs = new Map();
for (const { name } of packages()) {
  const folder = join(root, 'packages', name, 'test');
  for (const file of existsSync(folder) ? readdirSync(folder).toSorted() : []) {
    const [, rest] = /^soak(-.*)?\.mjs$/.exec(file) ?? [undefined, undefined];
    if (file === 'soak.mjs' || rest !== undefined)
      programs.set(`${name}${rest ?? ''}`, join(folder, file));
  }
}
const all = [...programs.keys()];
const named = positionals.length === 0 ? all : positionals;
const unknown = named.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no soak of ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(2);
}

await readyOrExit();
const { run } = await import('./run.mjs');
for (const name of named) {
  const status = await run(process.execPath, [
    programs.get(name),
    ...(values.quick ? ['--quick'] : []),
  ]);
  if (status !== 0) process.exitCode = 1;
}
