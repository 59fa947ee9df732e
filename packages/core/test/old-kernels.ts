import { constants } from 'node:os';

import { afterAll, expect, test } from 'vitest';

import { Peer } from './peer.js';
import { WithoutCall, type CALLS } from './without-call.js';

type Lack = readonly (keyof typeof CALLS)[];

/** What kernels lack, and containers forbid, of what waits for words. */
const LACKS: readonly Lack[] = [['io_uring_setup'], ['io_uring_setup', 'futex_waitv']];

/**
 * Runs a scene of waits for words, which prints `done` if all went well, on this kernel and as on those that
 * lack the calls for it.
 *
 * @param scene - a script
 */
export function testOldKernels(scene: URL): void {
  const done = { code: 0, stdout: 'done\n', stderr: '' };

  test('waits for words end well with all calls that this kernel has', async () => {
    expect(await Peer.node(scene).ended).toMatchObject(done);
  }, 60_000);

  for (const lack of LACKS) {
    const without = new WithoutCall(...lack);
    if (without.missing !== undefined) console.log(`skipped: ${without.missing}`);
    afterAll(() => without.remove());
    test.skipIf(without.missing !== undefined).each(['ENOSYS', 'EPERM'] as const)(
      `waits for words end well with %s for ${lack.join(' and ')}, as on older kernels and in some containers`,
      async (error) => {
        expect(await without.node(constants.errno[error], scene).ended).toMatchObject(done);
      },
      60_000,
    );
  }
}
