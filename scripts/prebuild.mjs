// npm run build:prebuild [-- --target linux-x64-glibc,… --package NAME,…]: the binaries that the packages ship, into
// packages/*/prebuilds. One cross compiler makes all of them, with the flags of addon.gypi: its C++ library is
// linked in, and its symbols are those of an old C library. Each is looked at by readelf.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { addonFlags, addonSources } from './addon-flags.mjs';
import { inspectBinary } from './binary.mjs';
import { capture } from './run.mjs';
import { publicPackages, root, scratch } from './workspace.mjs';

/** What is shipped, and what the compiler calls it. */
const TARGETS = {
  'linux-x64-glibc': 'x86_64-linux-gnu.2.18',
  'linux-arm64-glibc': 'aarch64-linux-gnu.2.18',
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64-musl': 'aarch64-linux-musl',
};
/** What this compiler does not know, or tells apart from the one that builds in the workspace. */
const UNKNOWN = new Set(['-Wno-cast-function-type', '-Wl,--exclude-libs,ALL', '-Werror']);

const toolchain = join(root, 'toolchain');
const EXPORTS = `-Wl,--version-script=${join(toolchain, 'exports.map')}`;
const zig = join(toolchain, 'node_modules', '@ryoppippi', 'zig-linux-x64', 'zig');

async function installCompiler() {
  if (existsSync(zig)) return;
  console.log('installing the cross compiler');
  const { status, output } = await capture('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: toolchain,
  });
  if (status !== 0) throw new Error(`the cross compiler cannot be installed\n${output.trimEnd()}`);
}

/** Builds one binary; it appears when it is complete and nothing is wrong with it. */
async function build(pack, target) {
  const { compile, link } = addonFlags(target.split('-')[1]);
  const folder = join(pack.folder, 'prebuilds', target);
  const file = join(folder, `${pack.name}.node`);
  const unfinished = `${file}.unfinished`;
  mkdirSync(folder, { recursive: true });
  rmSync(file, { force: true });
  const flags = [...compile, '-fno-exceptions', '-fno-rtti', '-g0', ...link, EXPORTS].filter(
    (flag) => !UNKNOWN.has(flag),
  );
  const args = ['c++', '-target', TARGETS[target], '-shared', '-s', ...flags];
  const { status, output } = await capture(zig, [...args, ...addonSources(pack), '-o', unfinished], {
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(scratch, 'zig') },
  });
  if (status !== 0) throw new Error(`${pack.name} for ${target}\n${output.trimEnd()}`);
  const { bytes, glibc, faults } = inspectBinary(unfinished, target);
  if (faults.length > 0) throw new Error(`${file}: ${faults.join('; ')}`);
  renameSync(unfinished, file);
  return { package: pack.name, target, bytes, glibc: glibc ?? 'none' };
}

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: Object.keys(TARGETS).join(',') },
    package: { type: 'string' },
  },
});
const wanted = values.package?.split(',');
await installCompiler();
let wrong = 0;
console.log('package   target              bytes  oldest glibc');
for (const target of values.target.split(',')) {
  for (const pack of publicPackages()) {
    if (!existsSync(join(pack.folder, 'binding.gyp'))) continue;
    if (wanted !== undefined && !wanted.includes(pack.name)) continue;
    try {
      const { bytes, glibc } = await build(pack, target);
      console.log(`${pack.name.padEnd(10)}${target.padEnd(19)}${String(bytes).padStart(6)}  ${glibc}`);
    } catch (error) {
      wrong += 1;
      console.log(error.message);
    }
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
