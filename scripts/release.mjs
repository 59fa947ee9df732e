// npm run release [-- --version | --publish]: versions what has changesets, with a changelog entry in each package
// and in what depends on it; builds the binaries of every system, checks what is packed, and publishes what the
// registry does not have. The two halves by themselves are for a workflow that has somebody look in between. Provenance
// (NPM_CONFIG_PROVENANCE) needs the workflow's own variables, and is refused without them before anything is done.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { nameRepository, repositoryOf } from './provenance.mjs';
import { readyOrExit } from './ready.mjs';
import { publicPackages, root } from './workspace.mjs';

const { values } = parseArgs({
  options: {
    version: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
  },
});
const both = values.version === values.publish;

function fail(error) {
  console.error(`release: ${error.message}`);
  process.exit(1);
}

let repository;
try {
  if (both || values.publish) repository = repositoryOf(process.env);
} catch (error) {
  fail(error);
}
await readyOrExit();
const { run, runTool } = await import('./run.mjs');

async function must(what, status) {
  if ((await status) !== 0) throw new Error(`${what} failed, nothing after it was done`);
}

async function version() {
  await must('changeset version', runTool('@changesets/cli', ['version']));
  const lock = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
  await must('npm install', run('npm', lock));
}

/** The systems for which a package has no binary. */
function withoutBinary() {
  const wanted = ['linux-x64-glibc', 'linux-arm64-glibc', 'linux-x64-musl', 'linux-arm64-musl'];
  return publicPackages()
    .filter(({ folder }) => existsSync(join(folder, 'binding.gyp')))
    .flatMap(({ name, folder }) => {
      const there = join(folder, 'prebuilds');
      const present = existsSync(there) ? readdirSync(there) : [];
      return wanted.filter((each) => !present.includes(each)).map((each) => `${name} ${each}`);
    });
}

async function publish() {
  const script = (name) => join(root, 'scripts', name);
  await must('build:prebuild', run(process.execPath, [script('prebuild.mjs')]));
  const missing = withoutBinary();
  if (missing.length > 0) console.error(missing.join('\n'));
  await must('build:prebuild', missing.length);
  const restore = nameRepository(repository);
  try {
    await must('the check of what is packed', run(process.execPath, [script('pack-check.mjs')]));
    await must('changeset publish', runTool('@changesets/cli', ['publish']));
  } finally {
    restore();
  }
}

try {
  if (both || values.version) await version();
  if (both || values.publish) await publish();
} catch (error) {
  fail(error);
}
