import { describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const run = (mode: string, ...args: unknown[]) =>
  Peer.node(new URL('fixtures/workers.mjs', import.meta.url), args, {
    env: { OCTOIPC_READINESS: mode },
  }).ended;

const clean = { code: 0, signal: null, stdout: 'descriptors 0, threads 0\n', stderr: '' };

describe.each([
  ['loop', 16],
  ['thread', 16],
])('BIND-011: workers with readiness by the %s', (mode, number) => {
  test(`${number} at once, each terminated with a read and a write pending: nothing is left`, async () => {
    expect(await run(mode, 'terminate', number, 'once', 'wait')).toEqual(clean);
  });

  test('in turn, blocked in readSync(): nothing is left', async () => {
    expect(await run(mode, 'terminate', 3, 'turn', 'readSync')).toEqual(clean);
  });

  test('4 at once, with a splice on a thread: nothing is left', async () => {
    expect(await run(mode, 'terminate', 4, 'once', 'splice')).toEqual(clean);
  });
});

test('BIND-011: an addon that only workers load outlives each of them', async () => {
  expect(await run('loop', 'onlyWorkers', 4)).toMatchObject({
    code: 0,
    signal: null,
    stdout: 'alive\n',
  });
});

test('BIND-011: 8 workers use pipes at once', async () => {
  expect(await run('loop', 'work', 8)).toMatchObject({ code: 0, stdout: 'worked 8\n' });
});

test('BIND-012: the process ends while workers block in readSync()', async () => {
  expect(await run('loop', 'exit', 3)).toMatchObject({
    code: 3,
    signal: null,
    stdout: 'waiting\n',
  });
});
