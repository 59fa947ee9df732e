import { spawnSync } from 'node:child_process';

import { send } from '@octoipc/signal';
import { expect, test } from 'vitest';

import { failure, program } from './program.js';

test('SIG-019 SIG-020: a full queue is EAGAIN with the remedy; what is sent without a value comes all the same', async () => {
  const peer = await program('blocked', 'SIGRTMIN+2,SIGRTMIN+3,SIGUSR2', 'sync');
  const limited = spawnSync('prlimit', ['--pid', String(peer.pid), '--sigpending=0']);
  if (limited.status !== 0) {
    console.log('skipped: prlimit is not installed, or may not change the limit');
    return;
  }
  const full = failure({ code: 'EAGAIN', hint: expect.stringContaining('RLIMIT_SIGPENDING') });
  expect(() => send(peer.pid, 'SIGRTMIN+2', { value: 1 })).toThrow(full);
  send(peer.pid, 'SIGRTMIN+3');
  send(peer.pid, 'SIGUSR2');
  peer.child.stdin?.write('go\n');
  expect(await peer.report()).toEqual(['SIGUSR2', 'SIGRTMIN+3']);
  expect(await peer.report()).toEqual(['SIGUSR2', null, 'SI_USER']);
  expect(await peer.report()).toEqual(['SIGRTMIN+3', null, 'SI_USER']);
  expect(await peer.line()).toBe('ETIMEDOUT');
});

test('a full queue keeps nobody from watching', async () => {
  const watcher = await program('late', 'SIGRTMIN+2');
  const limited = spawnSync('prlimit', ['--pid', String(watcher.pid), '--sigpending=0']);
  if (limited.status !== 0) {
    console.log('skipped: prlimit is not installed, or may not change the limit');
    return;
  }
  watcher.child.stdin?.write('go\n');
  expect(await watcher.line()).toBe('watching');
  send(watcher.pid, 'SIGRTMIN+2');
  expect(await watcher.line()).toBe('SIGRTMIN+2');
});
