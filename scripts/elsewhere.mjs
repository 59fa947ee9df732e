// node scripts/elsewhere.mjs [--package NAME,…]: the bindings built on Linux without what macOS lacks
// (OCTOIPC_ELSEWHERE, see elsewhere.h), and every package used with them (rehearsal/use.mjs). What still works must
// work; what is lacking must say ERR_UNSUPPORTED, and must be exactly what is written here.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { addonFlags, addonSources } from './addon-flags.mjs';
import { inTurns } from './cross-compiler.mjs';
import { capture } from './run.mjs';
import { must } from './step.mjs';
import { publicPackages, root } from './workspace.mjs';

const FLAVOUR = 'build/Elsewhere';

/** Parts of rehearsal/use.mjs that need what Linux alone has. */
const LACKING = {
  core: [],
  pipe: ['splice'],
  fifo: [],
  mq: ['POSIX'],
  sem: [],
  shm: [],
  signal: [],
  socket: [],
  popen: [],
};

async function build(pack) {
  const { compile, link } = addonFlags(process.arch);
  const flags = compile.filter((flag) => !/^-O|FORTIFY/.test(flag));
  const folder = join(pack.folder, FLAVOUR);
  mkdirSync(folder, { recursive: true });
  const objects = await inTurns(addonSources(pack), async (source) => {
    const object = join(folder, `${basename(source)}.o`);
    const ours = ['-DOCTOIPC_ELSEWHERE', '-include', 'octoipc/elsewhere.h', '-O0', '-g0'];
    await must('g++', [...ours, ...flags, '-c', source, '-o', object], { timeout: 600_000 });
    return object;
  });
  await must('g++', ['-shared', ...link, ...objects, '-o', join(folder, `${pack.name}.node`)]);
  for (const object of objects) rmSync(object);
}

/** What is lacking, as the names of the parts. */
async function use({ name }) {
  const { status, output } = await capture(
    process.execPath,
    [join(root, 'rehearsal', 'use.mjs'), name],
    { cwd: root, timeout: 120_000, env: { ...process.env, OCTOIPC_BUILD: FLAVOUR } },
  );
  if (status !== 0) throw new Error(output);
  return [...output.matchAll(/^lacks: ([^:]*)/gm)].map(([, part]) => part);
}

const { values } = parseArgs({ options: { package: { type: 'string' } } });
const wanted = values.package?.split(',');
const packs = publicPackages()
  .filter(({ folder }) => existsSync(join(folder, 'binding.gyp')))
  .filter(({ name }) => wanted === undefined || wanted.includes(name));
let wrong = 0;
try {
  await inTurns(packs, build);
  for (const pack of packs) {
    try {
      const lacking = await use(pack);
      const [found, known] = [lacking, LACKING[pack.name]].map((parts) => parts.join(', '));
      if (found !== known) throw new Error(`lacks ${found || 'nothing'}, not ${known || 'nothing'}`);
      console.log(`${pack.name.padEnd(10)}${known === '' ? 'works' : `ERR_UNSUPPORTED: ${known}`}`);
    } catch (error) {
      wrong += 1;
      console.log(`${pack.name}:\n${error.message.replaceAll(/^/gm, '    ')}`);
    }
  }
} finally {
  for (const { folder } of packs) rmSync(join(folder, FLAVOUR), { recursive: true, force: true });
}
console.log(`${packs.length} packages without what Linux alone has, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
