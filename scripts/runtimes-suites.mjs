// Test suites under other runtimes: the whole of a package by vitest under a version of Node, and its conformance suite
// by a plain runner where vitest does not run.
import { relative } from 'node:path';

import { conformingPackages, runConformance } from './plain/conformance.mjs';
import { reasonOf } from './plain/gaps.mjs';
import { nameOf, record } from './runtimes-record.mjs';
import { OTHERS, knownFailure } from './runtimes-uses.mjs';
import { root } from './workspace.mjs';

const NOT_APPLICABLE = /(^|> |\s)n\/a: /;

/** What vitest's report has of each package. */
function countsByPackage({ testResults = [] }) {
  const all = {};
  for (const { name: file, status, assertionResults } of testResults) {
    const [, name] = relative(root, file).split('/');
    const counts = (all[name] ??= { passed: 0, failed: 0, skipped: 0, inapplicable: 0 });
    // A file that does not load has no failing test of its own.
    if (status === 'failed' && assertionResults.length === 0) counts.failed += 1;
    for (const { status: verdict, fullName, title } of assertionResults) {
      if (verdict === 'passed' || verdict === 'failed') counts[verdict] += 1;
      else if (NOT_APPLICABLE.test(title) || NOT_APPLICABLE.test(fullName))
        counts.inapplicable += 1;
      else counts.skipped += 1;
    }
  }
  return all;
}

/**
 * Keeps what vitest has counted, for each package whose tests have all run.
 *
 * @param node - the binary
 * @param report - vitest's JSON
 */
export async function recordSuites(node, report) {
  const title = await nameOf([node]);
  for (const [name, counts] of Object.entries(countsByPackage(report)))
    await record(title, 'suites', name, counts);
}

/**
 * The conformance suites under Bun and Deno, kept in the record.
 *
 * @param chosen - packages, by their short names
 * @returns how many failures are no known gap
 */
export async function conformUnderOthers(chosen) {
  let wrong = 0;
  for (const [runtime, { command, collecting }] of Object.entries(OTHERS)) {
    const title = await nameOf(command);
    for (const pack of conformingPackages().filter(({ name }) => chosen.includes(name))) {
      const unusable = knownFailure(title, pack.name);
      if (unusable !== undefined) {
        await record(title, 'conformance', pack.name, { unusable });
        continue;
      }
      const seen = await runConformance([...command, ...collecting], pack);
      const gaps = {};
      const failures = [];
      for (const failure of seen.failures) {
        const reason = reasonOf(runtime, failure);
        if (reason === undefined) failures.push(failure);
        else (gaps[reason] ??= []).push(failure.title);
      }
      const { passed, inapplicable, complete } = seen;
      const failed = failures.map(({ title: name, why }) => `${name}: ${why.split('\n')[0]}`);
      await record(title, 'conformance', pack.name, {
        passed,
        inapplicable,
        complete,
        gaps,
        failed,
      });
      wrong += failures.length + (complete ? 0 : 1);
      const missing = seen.failures.length - failures.length;
      console.log(
        `${title.padEnd(11)} ${pack.name.padEnd(7)} conformance: ${passed} passed, ${failures.length} failed, ${missing} known gaps, ${inapplicable} not applicable`,
      );
      for (const { title: name, why } of failures)
        console.log(`${name}\n${why}`.replaceAll(/^/gm, '    '));
      if (!complete) console.log('    it was not run to its end');
    }
  }
  return wrong;
}
