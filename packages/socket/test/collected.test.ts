import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

test('sockets of Node’s that get the numbers of a receiver of many that was dropped are served', async () => {
  const peer = Peer.node(new URL('./fixtures/collected.mjs', import.meta.url));
  expect((await peer.ended).stdout).toBe('served 5\n');
});
