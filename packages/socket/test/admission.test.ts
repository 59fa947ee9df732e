import { IpcError } from '@octoipc/core';
import {
  connect,
  connectSync,
  listen,
  serverReceiver,
  type Peer as SocketPeer,
} from '@octoipc/socket';
import { expect, test, vi } from 'vitest';

import { closing, server } from './opened.js';
import { freshName } from './place.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

test('authorize() decides who is seen; what is no boolean admits nobody', async () => {
  const address = { abstract: freshName() };
  const asked: (SocketPeer | null)[] = [];
  const picky = await server(address, {
    authorize(peer) {
      asked.push(peer);
      return asked.length > 1;
    },
  });
  const refused = closing(await connect(address));
  const admitted = closing(await connect(address));
  const connection = closing(await picky.accept());
  await admitted.send('mine');
  expect(String(await connection.receive())).toBe('mine');
  expect(await refused.read()).toBe(null);
  expect(asked[0]?.pid).toBe(process.pid);
  const careless = await server(
    { abstract: freshName() },
    { authorize: (() => Promise.resolve(false)) as never },
  );
  const stranger = closing(await connect(careless.address as { abstract: string }));
  await expect(careless.accept()).rejects.toThrow(TypeError);
  expect(await stranger.read()).toBe(null);
});

test('listen() of a port without a host is refused: no address is the default', async () => {
  await expect(listen({ port: 0 } as never)).rejects.toThrow(TypeError);
  for (const url of ['tcp://:0', 'tls://:0', 'tcp:0']) {
    await expect(listen(url)).rejects.toThrow(TypeError);
  }
});

test('a server keeps to the options that were checked, whatever becomes of their object', async () => {
  const options = { authorize: () => false, maxMessageSize: 10 };
  const listening = await server({ abstract: freshName() }, options);
  options.authorize = () => true;
  options.maxMessageSize = -1;
  const client = closing(await connect(listening.address as { abstract: string }));
  expect(listening.tryAccept()).toBe(undefined);
  expect(await client.read()).toBe(null);
});

/** Clients each of whom is followed by another one while he is judged; how many there were when the event loop turned. */
function crowd(verdict: boolean, most = 1000) {
  const abstract = freshName();
  let asked = 0;
  let turned: number | undefined;
  return {
    address: { abstract },
    come: () => connectSync({ abstract }).close(),
    authorize(): boolean {
      asked += 1;
      if (asked === 1) setImmediate(() => (turned = asked));
      if (asked < most) connectSync({ abstract }).close();
      return verdict;
    },
    get turned() {
      return turned;
    },
    get asked() {
      return asked;
    },
  };
}

test('accept() lets the event loop turn, however many come who may not connect', async () => {
  const strangers = crowd(false);
  const { authorize } = strangers;
  const listening = await server(strangers.address, { authorize });
  strangers.come();
  const accepting = listening.accept().catch((error: unknown) => error);
  await vi.waitUntil(() => strangers.turned !== undefined);
  expect(strangers.turned).toBeLessThan(500);
  expect(listening.tryAccept()).toBe(undefined);
  // It goes on with those who came meanwhile.
  await vi.waitUntil(() => strangers.asked === 1000, { timeout: 20_000 });
  listening.close();
  expect(await accepting).toEqual(failing('ERR_CLOSED'));
});

test('tryAccept() and acceptSync() look at a bounded number of clients who may not connect', async () => {
  const strangers = crowd(false);
  const listening = await server(strangers.address, { authorize: strangers.authorize });
  strangers.come();
  expect(listening.tryAccept()).toBe(undefined);
  expect(strangers.asked).toBeLessThan(500);
  expect(() => listening.acceptSync({ timeout: 0 })).toThrow(failing('ETIMEDOUT'));
  expect(strangers.asked).toBeLessThan(500);
});

test.each([
  ['may not connect', false],
  ['leave at once', true],
])('a serverReceiver lets the event loop turn, however many come who %s', async (_who, verdict) => {
  const strangers = crowd(verdict);
  const { authorize } = strangers;
  const listening = await server(strangers.address, { authorize });
  const receiver = closing(serverReceiver(listening, { persistent: true, maxConnections: 1 }));
  strangers.come();
  const receiving = receiver.receive().catch((error: unknown) => error);
  await vi.waitUntil(() => strangers.turned !== undefined);
  expect(strangers.turned).toBeLessThan(500);
  await vi.waitUntil(() => strangers.asked === 1000, { timeout: 20_000 });
  receiver.close();
  expect(await receiving).toEqual(failing('ERR_CLOSED'));
});

test('accept() rejects with what authorize() fails with for want of a descriptor', async () => {
  const address = { abstract: freshName() };
  const poor = await server(address, {
    authorize() {
      throw new IpcError('EMFILE', { syscall: 'open', target: '/etc/allowed' });
    },
  });
  const refused = closing(await connect(address));
  await expect(poor.accept()).rejects.toThrow(failing('EMFILE'));
  expect(await refused.read()).toBe(null);
});
