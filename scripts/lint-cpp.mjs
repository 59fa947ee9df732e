// The linter of C++: cppcheck over every binding, with the headers that they share. Strict warnings of
// the compiler are part of each build (addon.gypi).
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';

import { run, SKIPPED } from './run.mjs';
import { filesUnder, packages, root } from './workspace.mjs';

if (spawnSync('cppcheck', ['--version']).error !== undefined) {
  console.log('cppcheck is not installed');
  process.exit(SKIPPED);
}
const sources = packages()
  .flatMap(({ folder }) => [
    ...filesUnder(join(folder, 'native')),
    ...filesUnder(join(folder, 'include')),
  ])
  .filter((file) => ['.cc', '.h'].includes(extname(file)));
const status = await run('cppcheck', [
  '--quiet',
  '--enable=warning,performance,portability',
  '--error-exitcode=1',
  '--inline-suppr',
  '--language=c++',
  '--std=c++20',
  `-I${join(root, 'packages', 'core', 'include')}`,
  `-j${availableParallelism()}`,
  ...sources,
]);
if (status === 0) console.log(`cppcheck: ${sources.length} files`);
process.exitCode = status;
