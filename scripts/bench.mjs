// npm run bench -- [SUITE…] [--quick] [--check] [--rows ID,…] [--json FILE]: makes the workspace ready and
// measures it against C programs and against Node; packages/bench has the suites. With `memory` as the
// first argument it measures what operations allocate and keep.
import { join } from 'node:path';

import { readyOrExit } from './ready.mjs';
import { root } from './workspace.mjs';

await readyOrExit();
const { run } = await import('./run.mjs');
const memory = process.argv[2] === 'memory';
const program = join(root, 'packages', 'bench', 'src', memory ? 'memory.mjs' : 'main.mjs');
const args = process.argv.slice(memory ? 3 : 2);
process.exitCode = await run(process.execPath, [program, ...args], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
});
