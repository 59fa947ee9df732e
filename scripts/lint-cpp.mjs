// The linter of C++: cppcheck over every binding, with the headers that they share. Strict warnings of
// the compiler are part of each build (addon.gypi). That every binding compiles for macOS is seen when a release is
// rehearsed; what most often comes between, a system call whose number macOS lacks, is told here.
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';

import { run, SKIPPED } from './run.mjs';
import { filesUnder, packages, root } from './workspace.mjs';

const sources = packages()
  .flatMap(({ folder }) => [
    ...filesUnder(join(folder, 'native')),
    ...filesUnder(join(folder, 'include')),
  ])
  .filter((file) => ['.cc', '.h'].includes(extname(file)));

const header = join(root, 'packages', 'core', 'include', 'octoipc', 'darwin.h');
const known = new Set(callsIn(readFileSync(header, 'utf8')));
const unknown = sources.flatMap((file) => {
  const source = readFileSync(file, 'utf8');
  const names = callsIn(source).filter((name) => !source.includes(`#define ${name} `));
  return names.filter((name) => !known.has(name)).map((name) => `${file}: darwin.h lacks ${name}`);
});
if (unknown.length > 0) {
  console.error(unknown.join('\n'));
  process.exit(1);
}

if (spawnSync('cppcheck', ['--version']).error !== undefined) {
  console.log('cppcheck is not installed');
  process.exit(SKIPPED);
}
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

/** The names of system calls' numbers in a source, each once. */
function callsIn(source) {
  return [...new Set(source.match(/\bSYS_\w+/g))];
}
