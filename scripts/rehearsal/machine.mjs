// arm64 as a whole machine: a Debian with a kernel of its own, which boots on an emulated processor, and in it a Node for
// arm64 that uses every package as npm has installed it and runs the tests of each against the shipped binaries.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';

import { debian } from '../machine/debian.mjs';
import { INSTALLED, machineRoot } from '../machine/root.mjs';
import { VirtualMachine } from '../machine/virtual-machine.mjs';
import { NotApplicable } from '../step.mjs';
import { usedPackages } from '../uses.mjs';
import { filesUnder, publicPackages, scratch } from '../workspace.mjs';

/** Everything that the machine does ends in this time, in seconds; OCTOIPC_MACHINE_MINUTES says another. */
const BUDGET = Number(process.env.OCTOIPC_MACHINE_MINUTES ?? 40) * 60;
/** To boot, and to let go of what is at hand when the time is over. */
const SPARE = 180;

/** What takes a second on a processor takes ten to thirty on an emulated one. */
const OCTOIPC_PATIENCE = '8';
/** Milliseconds for a test that does not say it itself. */
const TEST = 600_000;

const CONFORMANCE = /\/conformance\.test\.ts$/;

/** The tests of every package: first what all mechanisms promise, then all the rest. */
function testPlan(stage) {
  const all = publicPackages().map(({ name }) => ({
    name,
    files: filesUnder(join(stage.tree, 'packages', name, 'test'))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => relative(stage.tree, file)),
  }));
  const some = (title, wanted) =>
    all
      .map(({ name, files }) => ({
        name: `${title} ${name}`,
        project: name,
        files: files.filter((file) => CONFORMANCE.test(file) === wanted),
      }))
      .filter(({ files }) => files.length > 0);
  return [...some('conformance of', true), ...some('other tests of', false)];
}

/** Throws what is wrong with a report of one use. */
function used({ unrun, works, late, lacks = [], rows, said }) {
  if (unrun) throw new NotApplicable('there was no time left');
  if (!works) throw new Error(late ? `not over in time\n${said}` : said);
  return rows === undefined ? lacks.join('; ') : `${rows} rows`;
}

/** Throws what is wrong with a report of tests; tells what was skipped, and what passed at its second try only. */
function tested({ unrun, over, unstable, missing, late, said }, files) {
  if (unrun) throw new NotApplicable('there was no time left');
  const sum = (count) => over.reduce((total, each) => total + count(each), 0);
  const [passed, failed, skipped] = [
    sum((each) => each.passed),
    sum((each) => each.failed.length),
    sum((each) => each.skipped.length),
  ];
  const counts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(unstable.length > 0 ? [`${unstable.length} at the second try`] : []),
    ...(missing.length > 0 ? [`${missing.length} of ${files.length} files not over`] : []),
  ].join(', ');
  const list = (title, all) =>
    all.map(
      (each) =>
        `${title}: ${each.title}${each.why ? `\n${each.why}` : ''}${each.note ? ` (${each.note})` : ''}`,
    );
  const lines = [
    ...list(
      'skipped',
      over.flatMap((each) => each.skipped),
    ),
    ...list('at the second try', unstable),
    ...missing.map((file) => `not over: ${file}`),
  ];
  if (lines.length > 0) console.log(lines.join('\n').replaceAll(/^/gm, '    '));
  if (failed > 0)
    throw new Error(
      [
        counts,
        ...list(
          'failed',
          over.flatMap((each) => each.failed),
        ),
      ].join('\n'),
    );
  if (missing.length > 0 && !late) throw new Error(`${counts}\n${said}`);
  if (passed === 0) throw new NotApplicable(counts);
  return counts;
}

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('machine', title, action);
  const plan = {
    installed: INSTALLED,
    seconds: BUDGET - SPARE,
    env: { CI: 'true', NO_COLOR: '1', OCTOIPC_QUICK: '1', OCTOIPC_CENSUS: 'off', OCTOIPC_PATIENCE },
    options: [`--testTimeout=${TEST}`, `--hookTimeout=${TEST}`],
    uses: usedPackages(),
    tests: testPlan(stage),
  };
  let system;
  let root;
  const ready =
    (await step('a Debian for arm64', async () => {
      const version = VirtualMachine.check();
      system = await debian();
      return `for qemu ${version}${system.fetched ? '' : '; it was there'}`;
    })) &&
    (await step('Node, the packages and their tests', async () => {
      const names = publicPackages().map(({ manifest }) => manifest.name);
      const installed = await stage.project('machine', ...names);
      const binary = join(
        installed,
        'node_modules',
        '@octoipc',
        'core',
        'prebuilds',
        'linux-arm64-glibc',
      );
      if (!existsSync(binary)) throw new NotApplicable('the group binaries makes those for arm64');
      root = await machineRoot(stage, system, installed, plan);
    }));
  if (!ready) return;
  const machine = new VirtualMachine({
    kernel: system.kernel,
    root,
    seconds: BUDGET,
    log: join(scratch, 'machine', 'console.log'),
  });
  try {
    const boots = await step('it boots', async () => {
      const { node, arch, kernel, processors } = await machine.report('hello');
      return `Node ${node} for ${arch}, Linux ${kernel}, ${processors} processors`;
    });
    if (!boots) return;
    for (const name of plan.uses)
      await step(`use ${name}`, async () => used(await machine.report(`use ${name}`)));
    await step('the tour', async () => used(await machine.report('tour')));
    for (const { name, files } of plan.tests)
      await step(name, async () => tested(await machine.report(name), files));
    await step('it stops by itself', async () => {
      await machine.report('end');
      await machine.end();
    });
  } finally {
    await machine.end({ kill: true });
  }
}
