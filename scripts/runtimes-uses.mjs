// Each package, and the tour, used under a runtime; and Bun and Deno, which rehearsal/ has.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { capture } from './run.mjs';
import { nameOf, record } from './runtimes-record.mjs';
import { tourUnder, usedPackages, usePackage } from './uses.mjs';
import { root } from './workspace.mjs';

const folder = join(root, 'rehearsal', 'node_modules');
const meta = join(root, 'packages', 'octoipc');

/** Failures that are known: what is seen, and what it means for a program. A new one fails the run. */
const DESCRIPTORS =
  'not usable: the descriptors of node:fs are numbers of its own there, not those of the kernel';
const KNOWN = {
  'Deno tour': 'its rows of mq, sem and shm fail, as these packages do',
  'Deno mq': DESCRIPTORS,
  'Deno sem': DESCRIPTORS,
  'Deno shm': DESCRIPTORS,
};

/** What Bun and Deno are run by, as words; `collecting` where garbage has to be collected at will. */
export const OTHERS = {
  Bun: { command: [join(folder, 'bun', 'bin', 'bun')], collecting: ['--expose-gc'] },
  Deno: {
    command: [join(folder, 'deno', 'deno'), 'run', '-A', '--no-prompt'],
    collecting: ['--v8-flags=--expose-gc'],
  },
};

/**
 * Why a package is known not to work under a runtime.
 *
 * @param title - `Deno 2.9.6`
 * @param name - the package, or `tour`
 * @returns the reason, or undefined where it has to work
 */
export function knownFailure(title, name) {
  return KNOWN[`${title.split(' ')[0]} ${name}`];
}

/** Installs Bun and Deno where they are not there. */
export async function installOthers() {
  if (Object.values(OTHERS).every(({ command: [file] }) => existsSync(file))) return;
  const { status, output } = await capture('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: join(root, 'rehearsal'),
  });
  if (status !== 0) throw new Error(`Bun and Deno cannot be installed\n${output.trimEnd()}`);
}

function firstError(said) {
  const line = stripVTControlCharacters(said)
    .split('\n')
    .find((each) => /error|abort|panic|not over/i.test(each));
  return (line ?? said.trim().split('\n').at(-1) ?? '').trim().slice(0, 160);
}

/**
 * Uses everything under a runtime, and keeps what was seen.
 *
 * @param runtime - the command, as words
 * @returns how many failures were not known
 */
export async function useUnder(runtime) {
  const title = await nameOf(runtime);
  let wrong = 0;
  const note = async (name, cell, { works, lacks = [], said }) => {
    const known = knownFailure(title, name);
    const remarks = works ? lacks : [known ?? firstError(said)];
    await record(title, 'uses', name, { cell, remarks });
    if (works) return;
    if (known === undefined) wrong += 1;
    console.log(`${title}: ${name}\n${said.slice(0, 3000).replaceAll(/^/gm, '    ')}`);
  };
  for (const name of usedPackages()) {
    const seen = await usePackage(runtime, name, meta);
    await note(name, seen.works ? (seen.lacks.length > 0 ? 'in part' : 'yes') : 'no', seen);
  }
  const tour = await tourUnder(runtime, join(meta, 'dist', 'cli.js'), meta);
  await note('tour', tour.works ? `${tour.rows.length} rows` : 'no', tour);
  return wrong;
}
