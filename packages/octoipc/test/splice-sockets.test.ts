import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

// Each in a process of its own: what stops an event loop would stop the test's, too.
async function played(scene: string): Promise<Record<string, unknown>> {
  const peer = Peer.node(new URL('fixtures/splice-sockets.mjs', import.meta.url), [scene]);
  return JSON.parse(await peer.line()) as Record<string, unknown>;
}

test('splice() to a socket that poll(2) calls ready, and that has next to no room, is in time', async () => {
  const timeout = 'ETIMEDOUT';
  expect(await played('narrow')).toEqual({ moved: true, sync: timeout, awaited: timeout });
});

test('a splice() that waits for a bare socket on its thread keeps nobody from the pipe', async () => {
  expect(await played('used')).toMatchObject({ wrote: expect.any(Number), code: 'ETIMEDOUT' });
});

test('8 splice() at once from one socket, on threads, leave its timeouts as they were', async () => {
  expect(await played('timeouts')).toEqual({ timeouts: ['0'.repeat(32)] });
});

test('splice() to a socket whose peer has left is EPIPE, whatever SIGPIPE does', async () => {
  expect(await played('signal')).toEqual({ code: 'EPIPE', bytesWritten: 0 });
});

test('splice() from a socket that stands at urgent data is ENOTSUP, and tells what had moved', async () => {
  expect(await played('urgent')).toEqual({ code: 'ENOTSUP', bytesWritten: 3, before: 'abc' });
});
