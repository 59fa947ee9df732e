// The packages as their users get them: packs each, asks publint and are-the-types-wrong about the
// tarballs, weighs them, installs all of them into an empty folder with nothing in PATH that compiles, and
// there imports and requires every subpath and uses every package for what it is there for.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { hostBinaries } from './host-binaries.mjs';
import { kilobytes, packPackage, faultsOf } from './pack.mjs';
import { capture, tool } from './run.mjs';
import { strictProject } from './strict-types.mjs';
import { publicPackages, root, specifiers } from './workspace.mjs';

/** Its peer vitest refuses to be required; its other subpaths do without vitest. */
const NOT_REQUIRED = new Set(['@octoipc/conformance']);

/** Its dependency's own declarations do not hold under the strictest settings: they are not checked. */
const FOREIGN_TYPES = new Set(['@octoipc/nats']);

const folder = mkdtempSync(join(tmpdir(), 'octoipc-packed-'));
const removeBinaries = hostBinaries();
let wrong = 0;

/** Runs a step; what it printed is shown where it failed. */
async function step(title, file, args, options) {
  const { status, output, stdout } = await capture(file, args, options);
  if (status !== 0) {
    wrong += 1;
    console.log(`${title}: status ${status}\n${output.replaceAll(/^/gm, '    ')}`);
  }
  return stdout;
}

/** What an installation needs, and nothing else: no compiler, no python3, no make. */
function barePath() {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['node', 'npm', 'sh']) {
    const found = (process.env.PATH ?? '')
      .split(':')
      .map((each) => join(each, name))
      .find((file) => existsSync(file));
    if (found !== undefined) symlinkSync(found, join(bin, name));
  }
  return bin;
}

/** Peers are the user's: here those of the workspace stand in for them. */
function supplyPeers(manifests) {
  for (const { peerDependencies = {} } of manifests) {
    for (const name of Object.keys(peerDependencies)) {
      const link = join(folder, 'node_modules', name);
      if (existsSync(link) || !existsSync(join(root, 'node_modules', name))) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), link);
    }
  }
}

try {
  const packs = publicPackages();
  const tarballs = [];
  console.log('package                packed kB   unpacked kB  without binaries');
  for (const each of packs) {
    const { file: tarball, ...weight } = await packPackage(each, folder);
    tarballs.push(tarball);
    console.log(
      [
        each.manifest.name.padEnd(22),
        kilobytes(weight.packed).padStart(8),
        '   ',
        kilobytes(weight.unpacked).padStart(11),
        kilobytes(weight.withoutBinaries).padStart(17),
      ].join(' '),
    );
    for (const fault of faultsOf(weight)) {
      wrong += 1;
      console.log(`${each.manifest.name} ${fault}`);
    }
    await step(`publint ${each.manifest.name}`, process.execPath, [
      tool('publint'),
      tarball,
      '--strict',
    ]);
    await step(`are the types of ${each.manifest.name} wrong`, process.execPath, [
      tool('@arethetypeswrong/cli', 'attw'),
      tarball,
      // Resolution without `exports`, as of Node 10, knows no subpaths.
      '--profile=node16',
      '--format=ascii',
      '--no-emoji',
    ]);
  }

  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await step(
    'npm install of the tarballs',
    'npm',
    ['install', '--omit=peer', '--no-audit', '--no-fund', ...tarballs],
    { cwd: folder, env: { ...process.env, PATH: barePath(), npm_config_prefer_offline: 'true' } },
  );
  supplyPeers(packs.map(({ manifest }) => manifest));

  let loaded = 0;
  for (const { manifest } of packs) {
    const scripts = Object.keys(manifest.scripts ?? {}).filter((name) => name.endsWith('install'));
    if (scripts.length > 0 || manifest.gypfile === true) {
      wrong += 1;
      console.log(`${manifest.name} runs something when it is installed`);
    }
    const calls = specifiers(manifest).flatMap((name) => [
      `import('${name}')`,
      ...(NOT_REQUIRED.has(name) ? [] : [`require('${name}')`]),
    ]);
    for (const call of calls) {
      loaded += 1;
      await step(
        call,
        process.execPath,
        ['-e', `Promise.resolve(${call}).catch((e) => { console.error(e); process.exit(1); })`],
        { cwd: folder },
      );
    }
  }

  const required = packs.filter(({ manifest }) => !NOT_REQUIRED.has(manifest.name));
  const typeRoots = [join(root, 'node_modules', '@types')];
  const tsc = tool('typescript', 'tsc');
  const all = required.flatMap(({ manifest }) => specifiers(manifest));
  const ours = all.filter((name) => !FOREIGN_TYPES.has(name));
  strictProject(folder, ours, 'nodenext', typeRoots);
  await step('the types, strictly', process.execPath, [tsc, '-p', folder]);
  strictProject(folder, all, 'nodenext', typeRoots);
  await step('the types of all', process.execPath, [tsc, '-p', folder, '--skipLibCheck']);

  copyFileSync(join(root, 'rehearsal', 'use.mjs'), join(folder, 'use.mjs'));
  const bindings = packs.filter(({ folder: at }) => existsSync(join(at, 'binding.gyp')));
  for (const { name } of bindings) {
    await step(`use ${name}`, process.execPath, ['use.mjs', name], { cwd: folder });
  }
  console.log(
    `${packs.length} packages packed and installed, ${loaded} imports, ${bindings.length} bindings used`,
  );
} finally {
  removeBinaries();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;
