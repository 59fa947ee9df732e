// The whole suites for arm64, by qemu-user: the packages as npm has installed them, with the binaries that are shipped, under a
// real Node for arm64, on this machine's kernel. What the emulator does not do as a kernel does is in rehearsal/arm64-gaps.json,
// by test (`file`: by a file that has failed by itself) or by what is said of it, with the reason; any other failure is one.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { testWorkspace } from '../machine/root.mjs';
import { capture } from '../run.mjs';
import { NotApplicable } from '../step.mjs';
import { publicPackages, readJson } from '../workspace.mjs';
import { Arm64 } from './arm64.mjs';
import { tools } from './stage.mjs';

/** Milliseconds for the tests of one package, and for a test that does not say it itself. */
const PACKAGE = 60 * 60_000;
const TEST = 600_000;
const ENVIRONMENT = {
  CI: 'true',
  NO_COLOR: '1',
  OCTOIPC_QUICK: '1',
  OCTOIPC_CENSUS: 'off',
  OCTOIPC_PATIENCE: '8',
  // /proc tells the calls that the emulator makes.
  OCTOIPC_KERNEL: process.arch,
};

/** Runs the tests of one package; what came of them. */
async function tested(arm64, folder, project) {
  const report = join(folder, `${project}.json`);
  const [file, ...args] = arm64.command(
    join(folder, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    `--project=${project}`,
    `--testTimeout=${TEST}`,
    `--hookTimeout=${TEST}`,
    '--reporter=json',
    `--outputFile=${report}`,
  );
  const options = { cwd: folder, timeout: PACKAGE, env: { ...process.env, ...ENVIRONMENT } };
  const { output, timedOut } = await capture(file, args, options);
  if (!existsSync(report)) throw new Error(timedOut ? 'not over in an hour' : output);
  return JSON.parse(readFileSync(report, 'utf8'));
}

/**
 * Every test of a report, and every file that has failed by itself: that could not be loaded, or made ready for its tests.
 * What was begun and has no end has failed.
 */
function resultsOf({ testResults }) {
  return testResults.flatMap(({ name, message, status, assertionResults }) => {
    const tests = assertionResults.map((each) => ({
      title: each.fullName,
      status: each.status === 'pending' ? 'failed' : each.status,
      said: each.failureMessages?.join('\n') || 'its process has ended before',
    }));
    const byItself =
      tests.length === 0 ||
      message !== '' ||
      (status === 'failed' && tests.every((each) => each.status !== 'failed'));
    return byItself
      ? [...tests, { title: name, file: true, status: 'failed', said: message }]
      : tests;
  });
}

function judge(report, gaps) {
  const results = resultsOf(report);
  const failed = results.filter(({ status }) => status === 'failed');
  const isGap = ({ title, said, file = false }) =>
    gaps.some(
      (gap) =>
        (gap.file ?? false) === file &&
        new RegExp(gap.title ?? '').test(title) &&
        new RegExp(gap.why ?? '').test(said),
    );
  const wrong = failed.filter((each) => !isGap(each));
  const count = (status) => results.filter((each) => each.status === status).length;
  const skipped = results.length - count('passed') - failed.length;
  const text = [
    `${count('passed')} passed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(failed.length > wrong.length ? [`${failed.length - wrong.length} known gaps`] : []),
  ].join(', ');
  if (wrong.length > 0)
    throw new Error(
      [
        `${text}, ${wrong.length} failed`,
        ...wrong.map((each) => `${each.title}\n${each.said}`),
      ].join('\n'),
    );
  if (count('passed') === 0) throw new NotApplicable(text);
  return text;
}

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('emulated', title, action);
  const folder = join(stage.folder, 'emulated');
  let arm64;
  try {
    const ready =
      (await step('programs for arm64 start each other', () => {
        arm64 = Arm64.open();
      })) &&
      (await step('the packages and their tests', async () => {
        const names = publicPackages().map(({ manifest }) => manifest.name);
        const installed = await stage.project('emulated-project', ...names);
        const core = join(installed, 'node_modules', '@octoipc', 'core');
        if (!existsSync(join(core, 'prebuilds', 'linux-arm64-glibc')))
          throw new NotApplicable('the group binaries makes those for arm64');
        await testWorkspace(stage, installed, folder);
      }));
    if (!ready) return;
    const gaps = readJson(join(tools, 'arm64-gaps.json'));
    for (const name of stage.packages) {
      const known = gaps.filter(({ project = name }) => project === name);
      await step(`tests of ${name}`, async () => judge(await tested(arm64, folder, name), known));
    }
  } finally {
    arm64?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
