// tests.mjs [--quick]: the tests that kill between two stores of shared memory, and those that take away what
// the system gives, as a step of the reliability run. What they tried they tell in a file (packages/core/test/tally.ts).
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readyOrExit } from '../ready.mjs';
import { runTool } from '../run.mjs';
import { packages } from '../workspace.mjs';
import { mechanismOf, Rows } from './rows.mjs';

const CHOSEN = /crash.*\.test\.ts$|^environment\.test\.ts$|^limits\.test\.ts$/;

const folder = mkdtempSync(join(tmpdir(), 'octoipc-step-'));
const [told, json] = ['tally', 'tests.json'].map((name) => join(folder, name));
const chosen = packages().flatMap(({ name, folder: of }) => {
  const tests = join(of, 'test');
  const files = existsSync(tests) ? readdirSync(tests).filter((file) => CHOSEN.test(file)) : [];
  return files.map((file) => ({ name, path: join(tests, file) }));
});
await readyOrExit();
await runTool(
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
const { testResults } = JSON.parse(readFileSync(json, 'utf8'));
const rows = new Rows('tests');
for (const { name: file, startTime, endTime, assertionResults } of testResults) {
  const { name } = chosen.find(({ path }) => path === file);
  rows.add(name, { hours: (endTime - startTime) / 3_600_000 });
  for (const { status, fullName } of assertionResults) {
    if (status === 'failed') rows.found(name, fullName);
  }
}
const lines = existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : [];
for (const line of lines) {
  const { what, name } = JSON.parse(line);
  rows.add(mechanismOf(name), { [what]: 1 });
}
rmSync(folder, { recursive: true });
rows.tell();
