import { constants } from 'node:os';

import { afterAll, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { WithoutCall } from '../../core/test/without-call.js';

const fixture = new URL('./fixtures/old-kernel.mjs', import.meta.url);
const without = new WithoutCall('futex_waitv');
if (without.missing !== undefined) console.log(`skipped: ${without.missing}`);
afterAll(() => without.remove());

test('the scene ends well where futex_waitv(2) is there', async () => {
  expect(await Peer.node(fixture).ended).toMatchObject({ code: 0, stdout: 'done\n', stderr: '' });
}, 60_000);

test.skipIf(without.missing !== undefined).each(['ENOSYS', 'EPERM'] as const)(
  'and where it answers %s, as before Linux 5.16 and in some containers',
  async (error) => {
    const peer = without.node(constants.errno[error], fixture);
    expect(await peer.ended).toMatchObject({ code: 0, stdout: 'done\n', stderr: '' });
  },
  60_000,
);
