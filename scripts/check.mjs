// npm run check [-- --only NAME,…]: makes the workspace ready and runs every check, as many at a time as there
// are processors. One line a check, in their order; what a failing one printed follows its line. The counts are left in check.json of the scratch
// folder, or in the file that OCTOIPC_CHECK_RESULTS names.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { root, scratch } from './workspace.mjs';

const script = (name, ...args) => [join(root, 'scripts', name), ...args];

/** Each check is a program of its own, and can be run by itself. */
const CHECKS = {
  lockfile: script('lockfile.mjs'),
  format: script('format.mjs'),
  lint: script('lint.mjs'),
  'lint-cpp': script('lint-cpp.mjs'),
  types: script('types.mjs'),
  symmetry: script('check-symmetry.mjs'),
  unused: script('unused.mjs'),
  privates: script('private-names.mjs'),
  api: script('api-golden.mjs'),
  links: script('check-links.mjs'),
  examples: script('run-readme.mjs'),
  assertions: script('assertions.mjs', '--check'),
  elsewhere: script('unsupported.mjs', 'win32'),
  errors: script('errors.mjs', '--check'),
  figures: script('bench-report.mjs', '--check'),
  pages: script('pages.mjs', '--check'),
  reliability: script('reliability.mjs', '--check'),
  packages: script('pack-check.mjs'),
};

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const names = values.only?.flatMap((list) => list.split(',')) ?? Object.keys(CHECKS);
const unknown = names.filter((name) => !(name in CHECKS));
if (unknown.length > 0) {
  console.error(`no check ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}`);
  process.exit(2);
}

await readyOrExit();
const { SKIPPED, capture } = await import('./run.mjs');
const { inTurns } = await import('./in-turns.mjs');

const counts = { passed: 0, failed: 0, skipped: 0 };

async function run(name) {
  const start = performance.now();
  const { status, output } = await capture(process.execPath, CHECKS[name]);
  return { name, status, said: output.trimEnd(), seconds: (performance.now() - start) / 1000 };
}

function tell({ name, status, said, seconds }) {
  const verdict = status === 0 ? 'passed' : status === SKIPPED ? 'skipped' : 'failed';
  counts[verdict] += 1;
  const remark = verdict === 'failed' ? '' : (said.split('\n').at(-1) ?? '');
  const time = seconds.toFixed(1).padStart(6);
  console.log(`${verdict.padEnd(8)}${name.padEnd(12)}${time} s  ${remark}`.trimEnd());
  if (verdict === 'failed') console.log(said.replaceAll(/^/gm, '    '));
}

/** What has run, until all before it have been told of. */
const done = new Map();
let told = 0;
await inTurns(names, async (name) => {
  done.set(name, await run(name));
  for (; done.has(names[told]); told++) tell(done.get(names[told]));
});

const results = process.env.OCTOIPC_CHECK_RESULTS ?? join(scratch, 'check.json');
mkdirSync(dirname(results), { recursive: true });
writeFileSync(results, JSON.stringify(counts));
console.log(`checks: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
