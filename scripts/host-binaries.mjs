// Binaries for the machine at hand, where the shipped ones have not been made (npm run build:prebuild): those of
// the workspace, stripped. For trying what is packed, not for publishing.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { publicPackages } from './workspace.mjs';

function place(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const { status } = spawnSync('strip', ['--strip-unneeded', '-o', to, from]);
  if (status !== 0) copyFileSync(from, to);
}

/**
 * Puts them where the shipped ones would be.
 *
 * @returns removes what it has put there
 */
export function hostBinaries() {
  process.report.excludeNetwork = true;
  const { glibcVersionRuntime } = process.report.getReport().header;
  const libc = glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  const made = [];
  for (const { name, folder } of publicPackages()) {
    const built = join(folder, 'build', 'Release', `${name}.node`);
    const target = join(folder, 'prebuilds', `${process.platform}-${process.arch}-${libc}`);
    const file = join(target, `${name}.node`);
    if (!existsSync(built) || existsSync(file)) continue;
    made.push(existsSync(dirname(target)) ? target : dirname(target));
    place(built, file);
  }
  return () => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  };
}
