// node scripts/elsewhere.mjs [--package NAME,…]: the bindings built on Linux without what macOS lacks
// (OCTOIPC_ELSEWHERE, see elsewhere.h), and every package used with them (rehearsal/use.mjs). What still works must
// work; what is lacking must say ERR_UNSUPPORTED, and must be exactly what is written here.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { addonFlags, addonSources } from './addon-flags.mjs';
import { inTurns } from './in-turns.mjs';
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
  // All of these wait by a futex, as libc's own semaphores do on Linux.
  sem: ['POSIX', 'a mutex'],
  // A wait for a word, memfds, a ring, which waits for words.
  shm: ['POSIX', 'a peer that truncates', 'a ring'],
  // signalfd(2), sigqueue(3), pidfd_open(2). Sending works.
  signal: ['waiting for signals', 'values', 'pidfds'],
  socket: [],
  // A child is started by clone(2) and waited for by its pidfd.
  popen: ['reading', 'writing', 'a deadline', 'a pipeline', 'popenSync'],
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

/** What is lacking: the names of the parts, and what they said. */
async function use({ name }) {
  const { status, output } = await capture(
    process.execPath,
    [join(root, 'rehearsal', 'use.mjs'), name],
    { cwd: root, timeout: 120_000, env: { ...process.env, OCTOIPC_BUILD: FLAVOUR } },
  );
  if (status !== 0) throw new Error(output);
  return [...output.matchAll(/^lacks: ([^:]*)(?:: )?(.*)$/gm)].map(([, part, said]) => ({
    part,
    said,
  }));
}

const { values } = parseArgs({ options: { package: { type: 'string' } } });
const wanted = values.package?.split(',');
const packs = publicPackages()
  .filter(({ folder }) => existsSync(join(folder, 'binding.gyp')))
  // The others need core's.
  .filter(({ name }) => name === 'core' || wanted === undefined || wanted.includes(name));
let wrong = 0;
try {
  await inTurns(packs, build);
  for (const pack of packs) {
    try {
      const lacking = await use(pack);
      const known = LACKING[pack.name].join(', ');
      if (lacking.map(({ part }) => part).join(', ') !== known) {
        const found = lacking.map(({ part, said }) => `${part}: ${said}`).join('\n');
        throw new Error(`lacks, where ${known || 'nothing'} was expected:\n${found}`);
      }
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
