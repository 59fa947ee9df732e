// npm run bench -- [SUITE…] [--quick] [--check] [--rows ID,…] [--json FILE]: makes the workspace ready and
// measures it against C programs and against Node; packages/bench has the suites. With `memory` as the
// first argument it measures what operations allocate and keep; --check of all suites does both.
import { join } from 'node:path';

import { readyOrExit } from './ready.mjs';
import { root } from './workspace.mjs';

await readyOrExit();
const { run } = await import('./run.mjs');
const suites = 'main.mjs';
const memory = 'memory.mjs';
const cwd = process.env.INIT_CWD ?? process.cwd();
const measure = (program, args) =>
  run(process.execPath, [join(root, 'packages', 'bench', 'src', program), ...args], { cwd });

const [first, ...rest] = process.argv.slice(2);
if (first === 'memory') {
  process.exitCode = await measure(memory, rest);
} else {
  const args = process.argv.slice(2);
  process.exitCode = await measure(suites, args);
  const isWhole = args.every((each) => each === '--check' || each === '--quick');
  if (isWhole && args.includes('--check')) {
    const status = await measure(memory, ['--check', '--quick']);
    if (status !== 0) process.exitCode = status;
  }
}
