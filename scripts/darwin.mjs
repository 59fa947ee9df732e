// node scripts/darwin.mjs [--package NAME,…]: every binding compiled and linked for macOS, by the cross compiler and
// with the headers that it has of that system. What comes out is looked at and thrown away: nobody could run it here.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { addonFlags, addonSources } from './addon-flags.mjs';
import { compilerFile, installCompiler, zigRun } from './cross-compiler.mjs';
import { inTurns } from './in-turns.mjs';
import { readMachO } from './macho.mjs';
import { publicPackages, root, scratch } from './workspace.mjs';

const TARGETS = { x64: 'x86_64-macos', arm64: 'aarch64-macos' };
const ENTRIES = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** What this compiler does not know for that system, or what is an error only where we ship. */
const UNKNOWN = new Set(['-Wno-cast-function-type', '-Werror', '-fstack-clash-protection']);

/** Names of Node and of the system's C++ library, which the program that loads it has. */
const OF_THE_RUNTIME = /^(napi_|node_api_|_Z|__cxa_|__gxx_|_Unwind_)/;

/** Every name that macOS' own libraries have. */
function systemNames() {
  const text = readFileSync(compilerFile('lib', 'libc', 'darwin', 'libSystem.11.tbd'), 'utf8');
  return new Set([...text.matchAll(/[\w$.]+/g)].map(([name]) => name.replace(/^_/, '')));
}

function* faults({ arch, kind, exported, wanted }, target, system) {
  if (arch !== target) yield `is for ${arch}`;
  if (kind !== 'dylib' && kind !== 'bundle') yield `is no library, but ${kind}`;
  for (const name of ENTRIES) if (!exported.includes(name)) yield `does not export ${name}`;
  for (const name of wanted)
    if (!OF_THE_RUNTIME.test(name) && !system.has(name)) yield `wants ${name}, which nobody has`;
}

async function build(pack, arch, folder) {
  const { compile } = addonFlags(arch);
  const flags = compile.filter((flag) => !UNKNOWN.has(flag) && !flag.startsWith('-O'));
  const core = join(root, 'packages', 'core', 'include');
  const elsewhere = [
    `-I${join(core, 'elsewhere')}`,
    `-I${core}`,
    '-include',
    'octoipc/elsewhere.h',
  ];
  const objects = await inTurns(addonSources(pack), async (source) => {
    const object = join(folder, `${basename(source)}.o`);
    const how = ['-target', TARGETS[arch], ...elsewhere, ...flags, '-O1'];
    await zigRun(['c++', ...how, '-c', source, '-o', object]);
    return object;
  });
  const file = join(folder, `${pack.name}.node`);
  // As C: the C++ library is the system's, which Node has loaded.
  const link = ['-shared', '-undefined', 'dynamic_lookup'];
  await zigRun(['cc', '-target', TARGETS[arch], ...link, ...objects, '-o', file]);
  return readMachO(file);
}

const { values } = parseArgs({ options: { package: { type: 'string' } } });
const wanted = values.package?.split(',');
await installCompiler();
const system = systemNames();
let wrong = 0;
let built = 0;
for (const arch of Object.keys(TARGETS)) {
  for (const pack of publicPackages()) {
    if (!existsSync(join(pack.folder, 'binding.gyp'))) continue;
    if (wanted !== undefined && !wanted.includes(pack.name)) continue;
    const folder = join(scratch, 'darwin', arch, pack.name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    try {
      const found = await build(pack, arch, folder);
      const said = [...faults(found, arch, system)];
      if (said.length > 0) throw new Error(said.join('\n'));
      built += 1;
      console.log(
        `${pack.name.padEnd(10)}darwin-${arch.padEnd(8)}${String(found.bytes).padStart(8)}`,
      );
    } catch (error) {
      wrong += 1;
      console.log(`${pack.name} for darwin-${arch}:\n${error.message.replaceAll(/^/gm, '    ')}`);
    }
  }
}
console.log(`${built} bindings compiled and linked for macOS, ${wrong} not`);
process.exitCode = wrong === 0 ? 0 : 1;
