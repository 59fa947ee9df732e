// npm start -- [FILE]: makes the workspace ready and gives the tour, which takes any file through every
// mechanism. A FILE is found from where the user stands, also where npm was told another folder.
import { join } from 'node:path';

import { readyOrExit } from './ready.mjs';
import { root } from './workspace.mjs';

await readyOrExit('octoipc');
const { run } = await import('./run.mjs');
const command = join(root, 'packages', 'octoipc', 'dist', 'cli.js');
const args = ['tour', ...process.argv.slice(2)];
process.exitCode = await run(process.execPath, [command, ...args], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
});
