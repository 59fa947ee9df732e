// The compiler for every system that binaries are shipped for: zig, from toolchain/.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { capture } from './run.mjs';
import { root, scratch } from './workspace.mjs';

export const toolchain = join(root, 'toolchain');

/** A file of the compiler's own. */
export function compilerFile(...path) {
  return join(toolchain, 'node_modules', '@ryoppippi', 'zig-linux-x64', ...path);
}

const zig = compilerFile('zig');

/** Installs it if it is not there. */
export async function installCompiler() {
  if (existsSync(zig)) return;
  console.log('installing the cross compiler');
  const { status, output } = await capture('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: toolchain,
  });
  if (status !== 0) throw new Error(`the cross compiler cannot be installed\n${output.trimEnd()}`);
}

/** Runs it; throws what it printed where it fails. */
export async function zigRun(args) {
  const { status, output } = await capture(zig, args, {
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(scratch, 'zig') },
  });
  if (status !== 0) throw new Error(output.trimEnd());
}
