// npm run bench -- [SUITE…] [--quick] [--rows ID,…] [--json FILE]: makes the workspace ready and measures
// it against C programs and against Node; packages/bench has the suites.
import { join } from 'node:path';

import { readyOrExit } from './ready.mjs';
import { root } from './workspace.mjs';

await readyOrExit();
const { run } = await import('./run.mjs');
const program = join(root, 'packages', 'bench', 'src', 'main.mjs');
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
});
