import { Readiness } from '@octoipc/core/kit';
import { describe, expect, test } from 'vitest';

import { kit } from './kit-binding.js';
import { Peer } from './peer.js';

const run = (mode: string | undefined, ...args: string[]) =>
  Peer.node(new URL('fixtures/readiness.mjs', import.meta.url), args, {
    env: { OCTOIPC_READINESS: mode },
  });

test('Node polls on its own loop unless it is told otherwise', () => {
  expect(Readiness.of(kit).mode).toBe(process.env['OCTOIPC_READINESS'] || 'loop');
  expect(Readiness.of(kit)).toBe(Readiness.of(kit));
});

test.each([
  [undefined, 'loop'],
  ['loop', 'loop'],
  ['thread', 'thread'],
  ['nonsense', 'loop'],
])('OCTOIPC_READINESS %s gives mode %s', async (wanted, mode) => {
  expect((await run(wanted, 'mode').ended).stdout).toBe(`${mode}\n`);
});

describe.each(['loop', 'thread'])('readiness by the %s', (mode) => {
  test('1,000 waits are each served their own byte, and no thread is made for one', async () => {
    const { code, stdout, stderr } = await run(mode, 'many').ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `served 1000, threads ${mode === 'loop' ? 0 : 1}\n`,
      stderr: '',
    });
  });

  test('more events than are handed over at once are all told', async () => {
    expect((await run(mode, 'batch').ended).stdout).toBe('served 300\n');
  });

  test('a wait that comes to nothing although there is something does not spin', async () => {
    expect((await run(mode, 'fruitless').ended).stdout).toBe('few tries\n');
  });

  test('what stays armed after a wait does not keep the process alive', async () => {
    const { code, stdout } = await run(mode, 'idle').ended;
    expect([code, stdout]).toEqual([0, 'aborted\n']);
  });

  test('a wait that follows another one keeps the process alive', async () => {
    expect((await run(mode, 'alive').ended).stdout).toBe('b\n');
  });

  test('a slot that is used again tells nothing of the descriptor before', async () => {
    expect((await run(mode, 'reuse').ended).stdout).toBe('false wakes 0\n');
  });

  test('a descriptor whose description another holds is out of the set when closed', async () => {
    expect((await run(mode, 'shared').ended).stdout).toBe('false wakes 0\n');
  });

  test('what the callback throws is an uncaught exception, and the others are still served', async () => {
    expect((await run(mode, 'throws').ended).stdout).toBe('uncaught mine\nserved\n');
  });

  test('a source that throws is an uncaught exception, and those of the same batch are told', async () => {
    expect((await run(mode, 'one-throws').ended).stdout).toBe('uncaught mine\ntold 3\n');
  });

  test('BIND-011: workers in turn and at once, terminated while they wait, leave nothing', async () => {
    const { code, stdout, stderr } = await run(mode, 'workers').ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'descriptors 0, threads 0\n',
      stderr: '',
    });
  });

  test.each(['exit', 'throw'])(
    'BIND-012: process end by %s while 100 waits are pending',
    async (how) => {
      const { code, signal, stdout } = await run(mode, how).ended;
      expect({ code, signal, stdout }).toEqual({
        code: how === 'exit' ? 3 : 1,
        signal: null,
        stdout: 'waiting\n',
      });
    },
  );
});
