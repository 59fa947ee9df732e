import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test, type TestContext } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { lives } from './started.js';

interface Told {
  readonly pid: number;
  readonly outcomes: unknown;
  readonly status: unknown;
  readonly closed: boolean;
}

/** A user whose programs become root's, and what came of that, one after the other. */
async function user(scene: string, { skip }: TestContext): Promise<Peer> {
  if (process.geteuid?.() !== 0) skip('needs root, to make a program that becomes root');
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-popen-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const setpriv = join(folder, 'setpriv');
  copyFileSync('/usr/bin/setpriv', setpriv);
  chmodSync(setpriv, 0o4755);
  chmodSync(folder, 0o755);
  const run = (name: string): Peer =>
    Peer.node(new URL('fixtures/setuid.mjs', import.meta.url), [setpriv, name]);
  if ((await run('whose').ended).stdout !== '0\n') skip('the folder is mounted with nosuid');
  return run(scene);
}

/** The report; the program, which lives, goes with the test, and the user's process before that by itself. */
async function reported(peer: Peer): Promise<Omit<Told, 'pid'>> {
  const { pid, ...told } = await peer.report<Told>();
  expect(lives(pid)).toBe(true);
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  expect(await peer.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  return told;
}

const DENIED = ['ETIMEDOUT', 'EPERM'];

test('the deadline of a program that may not be signalled is ETIMEDOUT, because of EPERM, for all who wait', async (context) => {
  const peer = await user('timeout', context);
  const outcomes = [DENIED, DENIED, DENIED];
  expect(await reported(peer)).toEqual({ outcomes, status: null, closed: true });
});

test('the abort of a program that may not be signalled is its reason for all who wait', async (context) => {
  const peer = await user('abort', context);
  const mine = ['mine', null];
  expect(await peer.report()).toEqual(mine);
  expect(await reported(peer)).toEqual({
    outcomes: [mine, mine, mine],
    status: null,
    closed: true,
  });
});

test('EMSGSIZE of a program that may not be signalled is told although it goes on', async (context) => {
  const peer = await user('overflow', context);
  const over = ['EMSGSIZE', 'EPERM'];
  expect(await reported(peer)).toEqual({
    outcomes: [over, over, over],
    status: null,
    closed: true,
  });
});

test('kill() throws EPERM where it may not, and changes nothing', async (context) => {
  const peer = await user('kill', context);
  expect(await reported(peer)).toEqual({
    outcomes: [['EPERM', null]],
    status: null,
    closed: false,
  });
});

test('[Symbol.asyncDispose]() rejects with EPERM where it may not end the program, and lets it go', async (context) => {
  const peer = await user('dispose', context);
  const outcomes = [
    ['EPERM', null],
    ['EPERM', null],
  ];
  expect(await reported(peer)).toEqual({ outcomes, status: null, closed: true });
});

test('popenSync() throws ETIMEDOUT, because of EPERM, where it may not end the program', async (context) => {
  const peer = await user('sync', context);
  expect(await reported(peer)).toEqual({ outcomes: [DENIED], status: null, closed: true });
});
