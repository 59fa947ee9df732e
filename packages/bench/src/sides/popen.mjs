// @ts-check
// popen.mjs EXERCISE MIB: start to exit of /bin/true, with so much memory resident in the parent; popen
// is ours, spawn is child_process's, execa and tinyexec are packages.
// popen.mjs settle-EXERCISE COMMAND: how long until a shell command that goes on is settled by a timeout of
// 300 ms, with all that it has said; timer is that timeout alone.
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

import { popen } from '@octoipc/popen';

import { load } from '../peers.mjs';
import { now, serve } from './side.mjs';

const [exercise = '', argument = ''] = process.argv.slice(2);
const PROGRAM = '/bin/true';
const TIMEOUT = 300;
const settles = exercise.startsWith('settle-');

/** What is written to is resident. */
const resident = Array.from({ length: settles ? 0 : Number(argument) }, () =>
  Buffer.alloc(1 << 20, 1),
);

/** @type {Record<string, () => Promise<unknown>>} */
const exercises = {
  popen: () => popen([PROGRAM]).close(),
  spawn: () =>
    new Promise((resolve, reject) => {
      const child = spawn(PROGRAM, [], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.once('error', reject).once('close', resolve);
      child.stdout.resume();
    }),
  'settle-popen': () =>
    popen(argument, 'r', { timeout: TIMEOUT })
      .text()
      .catch(() => {}),
  'settle-timer': () => delay(TIMEOUT),
};

/** Packages that are loaded only where they are compared. */
if (exercise.endsWith('execa')) {
  const { execa } = await load('execa');
  exercises['execa'] = () => execa(PROGRAM);
  exercises['settle-execa'] = () =>
    execa('sh', ['-c', argument], { timeout: TIMEOUT, reject: false });
}
if (exercise.endsWith('tinyexec')) {
  const { x } = await load('tinyexec');
  exercises['tinyexec'] = async () => await x(PROGRAM);
  exercises['settle-tinyexec'] = async () => {
    try {
      await x('sh', ['-c', argument], { timeout: TIMEOUT });
    } catch {
      // That it was ended may be told so.
    }
  };
}

const once = exercises[exercise];
if (once === undefined) throw new Error(`no exercise ${exercise}`);
await serve(async (count) => {
  const start = now();
  for (let n = 0; n < count; n++) await once();
  return { ns: now() - start, kept: resident.length };
});
