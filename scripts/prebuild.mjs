// npm run build:prebuild [-- --target linux-x64-glibc,… --package NAME,…]: the binaries that the packages ship, into
// packages/*/prebuilds. One cross compiler makes all of them, with the flags of addon.gypi: what they need of a
// C++ library is in toolchain/runtime.cc, and the symbols are those of an old C library. Each is looked at by readelf.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { addonFlags, addonSources } from './addon-flags.mjs';
import { inspectBinary } from './binary.mjs';
import { installCompiler, toolchain, zigRun } from './cross-compiler.mjs';
import { inTurns } from './in-turns.mjs';
import { publicPackages, scratch } from './workspace.mjs';

/** What is shipped, and what the compiler calls it. */
const TARGETS = {
  'linux-x64-glibc': 'x86_64-linux-gnu.2.18',
  'linux-arm64-glibc': 'aarch64-linux-gnu.2.18',
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64-musl': 'aarch64-linux-musl',
};
/** What this compiler does not know, or tells apart from the one that builds in the workspace. */
const UNKNOWN = new Set(['-Wno-cast-function-type', '-Wl,--exclude-libs,ALL', '-Werror']);

/** What Node's own settings say when gyp compiles, and what makes binaries small. */
const OURS = ['-fno-exceptions', '-fno-rtti', '-fno-asynchronous-unwind-tables', '-g0'];
/** Beside the binding's own sources: see there. */
const RUNTIME = join(toolchain, 'runtime.cc');
const EXPORTS = `-Wl,--version-script=${join(toolchain, 'exports.map')}`;

/** Compiles a source; the compiler keeps what it has done, so that only what changed takes time. */
async function compile(source, target, folder) {
  const object = join(folder, `${basename(source)}.o`);
  const flags = [...addonFlags(target.split('-')[1]).compile, ...OURS].filter(
    (flag) => !UNKNOWN.has(flag),
  );
  await zigRun(['c++', '-target', TARGETS[target], ...flags, '-c', source, '-o', object]);
  return object;
}

/** Builds one binary; it appears when it is complete and nothing is wrong with it. */
async function build(pack, target) {
  const folder = join(pack.folder, 'prebuilds', target);
  const file = join(folder, `${pack.name}.node`);
  const objects = join(scratch, 'prebuild', target, pack.name);
  const unfinished = join(objects, `${pack.name}.node`);
  for (const each of [folder, objects]) mkdirSync(each, { recursive: true });
  rmSync(file, { force: true });
  const made = await inTurns([...addonSources(pack), RUNTIME], (source) =>
    compile(source, target, objects),
  );
  const link = addonFlags(target.split('-')[1]).link.filter((flag) => !UNKNOWN.has(flag));
  // As C: nothing of the compiler's C++ library, which would have to be built for each target.
  const args = ['-target', TARGETS[target], '-shared', '-s', ...link, EXPORTS, ...made];
  await zigRun(['cc', ...args, '-o', unfinished]);
  const { bytes, glibc, faults } = inspectBinary(unfinished, target);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  renameSync(unfinished, file);
  return { bytes, glibc: glibc ?? 'none' };
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
      console.log(
        `${pack.name.padEnd(10)}${target.padEnd(19)}${String(bytes).padStart(6)}  ${glibc}`,
      );
    } catch (error) {
      wrong += 1;
      console.log(`${pack.name} for ${target}:\n${error.message.replaceAll(/^/gm, '    ')}`);
    }
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
