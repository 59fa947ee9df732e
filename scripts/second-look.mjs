// A second look at tests that failed among thousands of others: each runs again by itself, once. What
// fails again has failed; what passes is told as unstable, so that somebody looks at it, and does not stop
// the rest. Where many files fail something is broken, and nothing is looked at again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { run, tool } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const MOST_FILES = 6;

const failing = ({ status }) => status === 'failed';
const escaped = (text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Runs the named tests of a file, or all of it where it has not even been loaded; whether they pass. */
async function passesAlone(node, file, titles) {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-second-look-'));
  const results = join(folder, 'results.json');
  const pattern = titles.length > 0 ? ['-t', `^(${titles.map(escaped).join('|')})$`] : [];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  try {
    const args = [tool('vitest'), 'run', relative(root, file), ...reporters, ...pattern];
    const status = await run(node, args);
    return status === 0 && readJson(results).numPassedTests >= titles.length;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Looks again at what failed in a report of vitest, and changes its counts to what came out.
 *
 * @param report - vitest's JSON, whose counts are mended
 * @param node - the binary to run the tests with
 * @returns the full names of the tests that failed among the others and passed alone
 */
export async function lookAgain(report, node = process.execPath) {
  const files = (report.testResults ?? []).filter(failing);
  const unstable = [];
  if (files.length > MOST_FILES) return unstable;
  for (const file of files) {
    const failed = file.assertionResults.filter(failing);
    const titles = [...new Set(failed.map(({ fullName }) => fullName))];
    console.log(`\nonce more, alone: ${relative(root, file.name)}`);
    if (!(await passesAlone(node, file.name, titles))) continue;
    unstable.push(...(titles.length > 0 ? titles : [relative(root, file.name)]));
    file.status = 'passed';
    for (const result of failed) result.status = 'passed';
    report.numFailedTests -= failed.length;
    report.numPassedTests += failed.length;
  }
  for (const name of unstable) console.log(`unstable: ${name}`);
  report.success = !(report.testResults ?? []).some(failing);
  return unstable;
}
