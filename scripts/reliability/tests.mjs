// tests.mjs [--quick]: the tests that kill between two stores of shared memory, and those that take away what
// the system gives, as a step of the reliability run. What they tried they tell in a file (packages/core/test/tally.ts).
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { readyOrExit } from '../ready.mjs';
import { runTool } from '../run.mjs';
import { packages, root } from '../workspace.mjs';
import { mechanismOf, resultsIn, Rows } from './rows.mjs';

const CHOSEN = /crash.*\.test\.ts$|^environment\.test\.ts$|^limits\.test\.ts$/;

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const [told, json] = ['tally', 'tests.json'].map((name) => join(folder, name));
const chosen = packages().flatMap(({ name, folder: of }) => {
  const tests = join(of, 'test');
  const files = existsSync(tests) ? readdirSync(tests).filter((file) => CHOSEN.test(file)) : [];
  return files.map((file) => ({ name, path: join(tests, file) }));
});
await readyOrExit();
const status = await runTool(
  'vitest',
  [
    'run',
    ...chosen.flatMap(({ name }) => ['--project', name]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${json}`,
    ...chosen.map(({ path }) => path),
  ],
  { env: { ...process.env, OCTOIPC_TALLY: told } },
);
const { testResults = [] } = resultsIn(json) ?? {};
const rows = new Rows('tests');
for (const { name, path } of chosen) {
  const shown = relative(root, path);
  const result = testResults.find((one) => one.name === path);
  if (result === undefined) {
    rows.found(name, `${shown} was not run`);
    continue;
  }
  rows.add(name, { hours: (result.endTime - result.startTime) / 3_600_000 });
  const failed = result.assertionResults.filter((one) => one.status === 'failed');
  for (const { fullName } of failed) rows.found(name, fullName);
  // One that does not load has no test that fails.
  if (result.status === 'failed' && failed.length === 0) {
    rows.found(name, `${shown} does not run: ${result.message.split('\n')[0].slice(0, 300)}`);
  }
}
const lines = existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : [];
for (const line of lines) {
  const { what, name } = JSON.parse(line);
  rows.add(mechanismOf(name), { [what]: 1 });
}
rmSync(folder, { recursive: true });
rows.ended('vitest', status);
rows.tell();
