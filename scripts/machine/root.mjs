// The root of the virtual machine, in one file: a Debian, a Node for arm64, the packages as npm has installed them, and
// the workspace with its tests, in which each package is the installed one.
import {
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { buildBinding } from '../cross-build.mjs';
import { installCompiler } from '../cross-compiler.mjs';
import { tools } from '../rehearsal/stage.mjs';
import { must } from '../step.mjs';
import { publicPackages, root as here, scratch } from '../workspace.mjs';
import { Archive } from './archive.mjs';

const TARGET = 'linux-arm64-glibc';
/** Where the machine has what npm has installed, and the workspace. */
export const INSTALLED = '/installed';
const WORKSPACE = 'octoipc';

const arm64 = join(tools, 'arm64', 'node_modules');

/** Of Debian, once: it is large, and the same. */
async function system(debian) {
  const file = join(scratch, 'machine', 'system.cpio');
  if (existsSync(file) && !debian.fetched) return file;
  const archive = new Archive(`${file}.unfinished`);
  await archive.folder(debian.root);
  await archive.characterDevice('dev/console', 5, 1);
  await archive.end();
  renameSync(`${file}.unfinished`, file);
  return file;
}

/**
 * The workspace as it is committed; a package has what is published of it, and its tests.
 *
 * @param installed - a project that has every package
 * @param folder - where to make it
 */
export async function testWorkspace(stage, installed, folder) {
  mkdirSync(folder);
  const tar = 'git archive HEAD | tar -x -C "$1"';
  await must('sh', ['-c', tar, 'sh', folder], { cwd: stage.tree });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@octoipc'), { recursive: true });
  const own = new Set(publicPackages().map(({ manifest }) => manifest.name.split('/')[0]));
  // Those for arm64 first; of what npm has installed, whatever the packages depend on.
  for (const from of [arm64, join(installed, 'node_modules')]) {
    for (const name of readdirSync(from)) {
      if (name === 'node' || name.startsWith('.') || own.has(name)) continue;
      if (existsSync(join(modules, name))) continue;
      cpSync(join(from, name), join(modules, name), { recursive: true, verbatimSymlinks: true });
    }
  }
  for (const { name, manifest } of publicPackages()) {
    const place = join(folder, 'packages', name);
    cpSync(join(installed, 'node_modules', manifest.name), place, { recursive: true });
    // Some tests load what was built, by its path: here that is what is shipped.
    const shipped = join(place, 'prebuilds', TARGET);
    if (existsSync(shipped)) cpSync(shipped, join(place, 'build', 'Release'), { recursive: true });
    const link = join(modules, manifest.name);
    symlinkSync(relative(join(link, '..'), place), link);
  }
  const core = join(folder, 'packages', 'core');
  await testBinding(join(core, 'prebuilds', TARGET));
  cpSync(join(core, 'prebuilds', TARGET), join(core, 'build', 'Release'), { recursive: true });
}

/** What only the tests load: the kit's own binding, which nobody ships. */
async function testBinding(folder) {
  const core = publicPackages().find(({ name }) => name === 'core');
  await installCompiler();
  await buildBinding(core, TARGET, folder, 'kit_test');
}

/**
 * Makes it.
 *
 * @param installed - a project that has every package
 * @param plan - what the machine is to do: see rehearsal/machine/run.mjs
 * @returns the file
 */
export async function machineRoot(stage, debian, installed, plan) {
  const folder = join(stage.folder, 'machine-workspace');
  await testWorkspace(stage, installed, folder);
  writeFileSync(join(folder, 'rehearsal', 'machine', 'plan.json'), JSON.stringify(plan));
  const own = join(stage.folder, 'machine-own.cpio');
  const archive = new Archive(own);
  const init = readFileSync(join(here, 'rehearsal', 'machine', 'init'));
  await archive.file('init', init, 0o755);
  await archive.file('usr/bin/node', readFileSync(join(arm64, 'node', 'bin', 'node')), 0o755);
  await archive.directory(INSTALLED.slice(1));
  await archive.folder(installed, INSTALLED.slice(1));
  await archive.file(`${INSTALLED.slice(1)}/use.mjs`, readFileSync(join(tools, 'use.mjs')));
  await archive.directory(WORKSPACE);
  await archive.folder(folder, WORKSPACE);
  await archive.end();
  const file = join(stage.folder, 'machine.cpio');
  for (const each of [await system(debian), own])
    await pipeline(createReadStream(each), createWriteStream(file, { flags: 'a' }));
  rmSync(own);
  return file;
}
