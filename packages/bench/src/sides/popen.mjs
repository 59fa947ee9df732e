// @ts-check
// popen.mjs EXERCISE MIB: start to exit of /bin/true, with so much memory resident in the parent; popen
// is ours, spawn is child_process's, execa and tinyexec are packages.
import { spawn } from 'node:child_process';

import { popen } from '@octoipc/popen';

import { load } from '../peers.mjs';
import { now, serve } from './side.mjs';

const [exercise = '', mebibytes] = process.argv.slice(2);
const PROGRAM = '/bin/true';

/** What is written to is resident. */
const resident = Array.from({ length: Number(mebibytes) }, () => Buffer.alloc(1 << 20, 1));

/** @type {Record<string, () => Promise<unknown>>} */
const exercises = {
  popen: () => popen([PROGRAM]).close(),
  spawn: () =>
    new Promise((resolve, reject) => {
      const child = spawn(PROGRAM, [], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.once('error', reject).once('close', resolve);
      child.stdout.resume();
    }),
};

/** Packages that are loaded only where they are compared. */
if (exercise === 'execa') {
  const { execa } = await load('execa');
  exercises['execa'] = () => execa(PROGRAM);
}
if (exercise === 'tinyexec') {
  const { x } = await load('tinyexec');
  exercises['tinyexec'] = async () => await x(PROGRAM);
}

const once = exercises[exercise];
if (once === undefined) throw new Error(`no exercise ${exercise}`);
await serve(async (count) => {
  const start = now();
  for (let n = 0; n < count; n++) await once();
  return { ns: now() - start, kept: resident.length };
});
