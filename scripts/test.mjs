// npm test [-- ARGUMENTS of vitest]: makes the workspace ready and runs the tests, once; what failed has a
// second look. The counts are left in test.json of the scratch folder, or in the file that
// OCTOIPC_TEST_RESULTS names.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readyOrExit } from './ready.mjs';
import { readJson, scratch } from './workspace.mjs';

await readyOrExit();
const { runTool } = await import('./run.mjs');
const { lookAgain } = await import('./second-look.mjs');
const results = process.env.OCTOIPC_TEST_RESULTS ?? join(scratch, 'test.json');
mkdirSync(dirname(results), { recursive: true });
rmSync(results, { force: true });
process.exitCode = await runTool('vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
  ...process.argv.slice(2),
]);
if (process.exitCode === 1) {
  const report = readJson(results);
  const unstable = await lookAgain(report);
  writeFileSync(results, JSON.stringify(report));
  if (unstable.length > 0 && report.success) process.exitCode = 0;
}
