// node scripts/shipped.mjs --pack FOLDER: every package as it is published, as tarballs in a folder. node scripts/shipped.mjs
// --use FOLDER: installs them into an empty project and uses each there, with the binary that is shipped for this system
// and nothing that is built. The two halves are for two machines: what uses them needs Node and npm, and no more.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { packPackage } from './pack.mjs';
import { capture } from './run.mjs';
import { usedPackages, usePackage } from './uses.mjs';
import { publicPackages } from './workspace.mjs';

const { values } = parseArgs({
  options: { pack: { type: 'string' }, use: { type: 'string' } },
});

async function pack(into) {
  mkdirSync(into, { recursive: true });
  for (const each of publicPackages()) {
    const { file, binaries } = await packPackage(each, into);
    console.log(`${file}: ${binaries.map(({ path }) => path).join(', ') || 'no binary'}`);
    if (existsSync(join(each.folder, 'binding.gyp')) && binaries.length === 0)
      throw new Error(`${each.name} has no binary: npm run build:prebuild`);
  }
}

/** Uses what was installed; how many packages did not work. */
async function useIn(folder) {
  let wrong = 0;
  for (const name of usedPackages()) {
    const built = join(folder, 'node_modules', '@octoipc', name, 'build');
    if (existsSync(built)) throw new Error(`${built}: something was built`);
    const { works, lacks, said } = await usePackage([process.execPath], name, folder);
    console.log([works ? 'used' : 'failed', name, ...lacks].join('  '));
    if (works) continue;
    wrong += 1;
    console.log(said.replaceAll(/^/gm, '    '));
  }
  return wrong;
}

async function use(from) {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-shipped-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const tarballs = readdirSync(from)
      .filter((name) => name.endsWith('.tgz'))
      .map((name) => join(from, name));
    if (tarballs.length === 0) throw new Error(`${from} has no tarball`);
    const options = ['--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, output } = await capture('npm', ['install', ...options, ...tarballs], {
      cwd: folder,
    });
    if (status !== 0) throw new Error(`npm install: status ${status}\n${output}`);
    return await useIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if ((values.pack === undefined) === (values.use === undefined)) {
  console.error('either --pack FOLDER or --use FOLDER');
  process.exit(2);
}
if (values.pack !== undefined) await pack(resolve(values.pack));
else process.exitCode = (await use(resolve(values.use))) === 0 ? 0 : 1;
