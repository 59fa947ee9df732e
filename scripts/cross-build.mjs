// A binding for another system than this: one cross compiler makes them all, with the flags of addon.gypi. What they
// need of a C++ library is in toolchain/runtime.cc, and the symbols are those of an old C library. readelf looks at each.
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

import { addonFlags, addonSources } from './addon-flags.mjs';
import { inspectBinary } from './binary.mjs';
import { toolchain, zigRun } from './cross-compiler.mjs';
import { inTurns } from './in-turns.mjs';
import { scratch } from './workspace.mjs';

/** What is shipped, and what the compiler calls it. */
export const TARGETS = {
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

/**
 * Builds one binary; it appears when it is complete and nothing is wrong with it.
 *
 * @param pack - of the workspace
 * @param target - one of {@link TARGETS}
 * @param folder - where it is put
 * @param binding - its name, where it is another than the package's
 * @returns `{ bytes, glibc }`, and throws what is wrong
 */
export async function buildBinding(pack, target, folder, binding = pack.name) {
  const file = join(folder, `${binding}.node`);
  const objects = join(scratch, 'prebuild', target, binding);
  const unfinished = join(objects, `${binding}.node`);
  for (const each of [folder, objects]) mkdirSync(each, { recursive: true });
  rmSync(file, { force: true });
  const made = await inTurns([...addonSources(pack, binding), RUNTIME], (source) =>
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
