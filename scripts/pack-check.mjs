// The packages as their users get them: packs each, asks publint and are-the-types-wrong about the
// tarballs, installs all of them into an empty folder without compiling anything, and there imports and
// requires every subpath and loads every binding.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { capture, tool } from './run.mjs';
import { publicPackages, root, specifiers } from './workspace.mjs';

/** Its peer vitest refuses to be required; its other subpaths do without vitest. */
const NOT_REQUIRED = new Set(['@octoipc/conformance']);

const folder = mkdtempSync(join(tmpdir(), 'octoipc-packed-'));
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

async function pack({ manifest, folder: cwd }) {
  const printed = await step(
    `npm pack ${manifest.name}`,
    'npm',
    ['pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`],
    { cwd },
  );
  const [{ filename }] = JSON.parse(printed);
  return join(folder, filename);
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
  for (const each of packs) {
    const tarball = await pack(each);
    tarballs.push(tarball);
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
    ['install', '--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund', ...tarballs],
    { cwd: folder, env: { ...process.env, npm_config_prefer_offline: 'true' } },
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

  let bindings = 0;
  const files = packs.flatMap(({ manifest }) => {
    const installed = join(folder, 'node_modules', manifest.name);
    if (!existsSync(installed)) return [];
    const names = readdirSync(installed, { recursive: true });
    return names.filter((name) => name.endsWith('.node')).map((name) => join(installed, name));
  });
  for (const file of files) {
    bindings += 1;
    await step(
      `load ${relative(folder, file)}`,
      process.execPath,
      ['-e', `require(${JSON.stringify(file)})`],
      { cwd: folder },
    );
  }
  console.log(
    `${packs.length} packages packed and installed, ${loaded} imports, ${bindings} bindings loaded`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;
