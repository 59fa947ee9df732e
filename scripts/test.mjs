// npm test [-- ARGUMENTS of vitest]: makes the workspace ready and runs the tests, once. The counts are
// left in test.json of the scratch folder, or in the file that OCTOIPC_TEST_RESULTS names.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readyOrExit } from './ready.mjs';
import { scratch } from './workspace.mjs';

await readyOrExit();
const { runTool } = await import('./run.mjs');
const results = process.env.OCTOIPC_TEST_RESULTS ?? join(scratch, 'test.json');
mkdirSync(dirname(results), { recursive: true });
process.exitCode = await runTool('vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
  ...process.argv.slice(2),
]);
