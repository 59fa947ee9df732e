// The other versions of Node that are supported: binaries of the registry, in runtimes/, apart from the workspaces.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { capture } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const folder = join(root, 'runtimes');

/**
 * Installs them, if they are not there.
 *
 * @returns {Promise<[name: string, file: string][] | string>} or the reason why there are none
 */
export async function otherNodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `their binaries are for linux-x64, this is ${process.platform}-${process.arch}`;
  }
  const files = Object.keys(readJson(join(folder, 'package.json')).dependencies).map((name) => [
    name,
    join(folder, 'node_modules', name, 'bin', 'node'),
  ]);
  if (files.every(([, file]) => existsSync(file))) return files;
  const { status, output } = await capture('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
  });
  return status === 0 ? files : `they cannot be installed\n${output.trimEnd()}`;
}
