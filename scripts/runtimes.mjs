// npm run test:runtimes [-- PROJECT … | --all | --uses | --conformance | --page] [--node 22,26]: the tests of core and pipe, of
// the named projects or of all, under the other versions of Node that are supported. The addons are those that were built
// for this one: they are bound to Node-API, not to a version. The versions live in runtimes/, apart from the workspaces;
// --node chooses among them and this one. --uses uses every package under each of them, and under Bun and Deno
// (rehearsal/); --conformance runs the conformance suites under Bun and Deno. --all is all of it, with this Node too. Those
// three keep what came out in docs/runtimes.json and docs/runtimes.md, and so does --page for the projects that are named.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { capture, SKIPPED, tool } from './run.mjs';
import { conformUnderOthers, recordSuites } from './runtimes-suites.mjs';
import { otherNodes } from './runtimes-nodes.mjs';
import { installOthers, OTHERS, useUnder } from './runtimes-uses.mjs';
import { lookAgain } from './second-look.mjs';
import { packages } from './workspace.mjs';

const { values, positionals: named } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    uses: { type: 'boolean', default: false },
    conformance: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
    node: { type: 'string' },
  },
  allowPositionals: true,
});
const everything = packages()
  .filter(({ folder: at }) => existsSync(join(at, 'test')))
  .map(({ name }) => name);
const chosen = named.length > 0 ? named : values.all ? everything : ['core', 'pipe'];
// Other runtimes have other descriptors and threads of their own than what the census of test files knows.
process.env.OCTOIPC_CENSUS ??= 'off';
// Large numbers are tried under the Node that runs this.
process.env.OCTOIPC_QUICK ??= '1';
const projects = chosen.flatMap((name) => [`--project=${name}`, `--project=${name} (thread)`]);

await readyOrExit();
const keeps = values.all || values.page;
const major = (name) => name.replace(/^node/, '');
const here = [`node${process.versions.node.split('.')[0]}`, process.execPath];
const others = await otherNodes();
if (typeof others === 'string') {
  console.log(`other versions of Node are not tested: ${others}`);
  process.exit(SKIPPED);
}
const known = [here].concat(others);
const nodes = known.filter(
  ([name], index) =>
    values.node?.split(',').includes(major(name)) ?? (index > 0 || values.all || values.uses),
);
if (nodes.length === 0) {
  console.error(`no such Node; there are ${known.map(([name]) => major(name)).join(', ')}`);
  process.exit(2);
}
const tested = values.uses || values.conformance ? [] : nodes;
if (tested.length > 0) console.log('runtime  version    passed  failed  skipped  seconds');
let wrong = 0;
for (const [name, file] of tested) {
  const start = performance.now();
  const { stdout: version } = await capture(file, ['--version']);
  const { status, stdout, output } = await capture(file, [
    tool('vitest'),
    'run',
    '--reporter=json',
    ...projects,
  ]);
  const report = status <= 1 ? stdout.match(/^\{.*\}$/m)?.[0] : undefined;
  const counts = report === undefined ? {} : JSON.parse(report);
  const unstable = status === 0 ? [] : await lookAgain(counts, file);
  if (keeps && report !== undefined) await recordSuites(file, counts);
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = counts;
  console.log(
    [
      name.padEnd(8),
      version.trim().padEnd(10),
      String(numPassedTests).padStart(6),
      String(numFailedTests).padStart(7),
      String(numPendingTests).padStart(8),
      ((performance.now() - start) / 1000).toFixed(1).padStart(8),
    ].join(' '),
  );
  if (status === 0 || (unstable.length > 0 && counts.success)) continue;
  wrong += 1;
  const failures = (counts.testResults ?? []).flatMap(
    ({ name: test, message, assertionResults }) => [
      ...(message ? [`${test}: ${message}`] : []),
      ...assertionResults
        .filter((result) => result.status === 'failed')
        .map((result) => `${result.fullName}\n${result.failureMessages.join('\n')}`),
    ],
  );
  console.log((failures.length > 0 ? failures.join('\n') : output).replaceAll(/^/gm, '    '));
}
if (values.all || values.uses || values.conformance) await installOthers();
if (values.all || values.uses) {
  const runtimes = Object.values(OTHERS).map(({ command }) => command);
  for (const runtime of [...nodes.map(([, file]) => [file]), ...runtimes])
    wrong += await useUnder(runtime);
}
if (values.all || values.conformance)
  wrong += await conformUnderOthers(named.length > 0 ? named : everything);
if (keeps || values.uses || values.conformance) await (await import('./pages.mjs')).writePages();
process.exitCode = wrong === 0 ? 0 : 1;
