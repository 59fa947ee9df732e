// arm64 as a whole machine: a Debian with a kernel of its own, which boots on an emulated processor, and in it a Node for
// arm64 that uses every package as npm has installed it and runs the tests of each against the shipped binaries.
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { debian } from '../machine/debian.mjs';
import { judgeTests, judgeUse } from '../machine/results.mjs';
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
    project: name,
    files: filesUnder(join(stage.tree, 'packages', name, 'test'))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => relative(stage.tree, file)),
  }));
  return ['conformance', 'other'].flatMap((part) =>
    all
      .map(({ project, files }) => ({
        name: part === 'conformance' ? `conformance of ${project}` : `other tests of ${project}`,
        project,
        part,
        files: files.filter((file) => CONFORMANCE.test(file) === (part === 'conformance')),
      }))
      .filter(({ files }) => files.length > 0),
  );
}

/** Listens to a machine until it has said all, a step for each part of the plan. */
async function listen(machine, plan, step) {
  const results = { uses: [], tests: [] };
  const begin = performance.now();
  const booted = await step('it boots', async () => {
    results.hello = await machine.report('hello');
    const { node, arch, kernel, processors } = results.hello;
    return `Node ${node} for ${arch}, Linux ${kernel}, ${processors} processors`;
  });
  if (!booted) return;
  const use = async (title, key) => {
    let report = {};
    const good = await step(title, async () => judgeUse((report = await machine.report(key))));
    return { verdict: good ? 'passed' : 'failed', ...report };
  };
  for (const name of plan.uses)
    results.uses.push({ ...(await use(`use ${name}`, `use ${name}`)), name });
  results.tour = await use('the tour', 'tour');
  for (const { name, project, part } of plan.tests) {
    await step(name, async () => {
      const report = await machine.report(name);
      results.tests.push({ ...report, name: project, part });
      return judgeTests(report);
    });
  }
  await step('it stops by itself', async () => {
    await machine.report('end');
    await machine.end();
  });
  stage.machine = { ...results, seconds: (performance.now() - begin) / 1000 };
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
      const core = join(installed, 'node_modules', '@octoipc', 'core');
      if (!existsSync(join(core, 'prebuilds', 'linux-arm64-glibc')))
        throw new NotApplicable('the group binaries makes those for arm64');
      root = await machineRoot(stage, system, installed, plan);
    }));
  if (!ready) return;
  const log = join(scratch, 'machine', 'console.log');
  const machine = new VirtualMachine({ kernel: system.kernel, root, seconds: BUDGET, log });
  try {
    await listen(machine, plan, step);
  } finally {
    await machine.end({ kill: true });
    // A gigabyte, which the machine had in its memory.
    rmSync(root);
  }
}
