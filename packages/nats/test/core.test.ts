import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Receiver } from '@octoipc/core';
import { natsReceiver, natsSender } from '@octoipc/nats';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { missing, NatsServer, titled } from './server.js';

describe.skipIf(missing !== undefined)(titled('nats://'), () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.open();
  });
  afterAll(() => server.end());

  const closing = <C extends { close(): void }>(channel: C): C => {
    onTestFinished(() => channel.close());
    return channel;
  };

  it('gives each message to every receiver, and to one of those of a group', async () => {
    const url = server.url('news');
    const all = [closing(await natsReceiver(url)), closing(await natsReceiver(url))];
    const group = await Promise.all([
      natsReceiver(url, { queue: 'workers' }),
      natsReceiver(url, { queue: 'workers' }),
    ]);
    group.forEach(closing);
    const sender = closing(await natsSender(url));
    for (let i = 0; i < 100; i++) await sender.send(String(i));
    for (const receiver of all) {
      for (let i = 0; i < 100; i++) expect(String(await receiver.receive())).toBe(String(i));
    }
    const shared: number[] = [];
    // 100 receives of each are more than there are messages: those that are left over are aborted.
    const enough = new AbortController();
    const taking = group.map(async (receiver: Receiver) => {
      for (;;) {
        const message = await receiver.receive({ signal: enough.signal });
        shared.push(Number(String(message)));
        if (shared.length === 100) enough.abort();
      }
    });
    await Promise.allSettled(taking);
    expect(shared.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('natsReceiver() reads its options when it is called', async () => {
    const options = { prefetch: 10, timeout: 20_000 };
    const opening = natsReceiver(server.url('options'), options);
    Object.assign(options, { prefetch: 1, timeout: -1 });
    const receiver = closing(await opening);
    const sender = closing(await natsSender(server.url('options')));
    for (const text of ['one', 'two', 'three']) await sender.send(text);
    for (const text of ['one', 'two', 'three']) expect(String(await receiver.receive())).toBe(text);
  });

  it('keeps nothing of sends that are over', async () => {
    const sender = closing(await natsSender(server.url('kept')));
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const turn = async (): Promise<number> => {
      for (let i = 0; i < 200; i++) {
        await Promise.all(Array.from({ length: 50 }, () => sender.send('x')));
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    await turn();
    const before = await turn();
    // 10,000 sends had kept 3 MB.
    expect((await turn()) - before).toBeLessThan(1_000_000);
  });

  it('takes any number of waits with one signal without a warning', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const sender = closing(await natsSender(server.url('many-waits')));
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 20 }, () => sender.send('x', { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });

  it('receives from many subjects by a wildcard', async () => {
    const receiver = closing(await natsReceiver(server.url('rooms.*.temperature')));
    const sender = closing(await natsSender(server.url('rooms.kitchen.temperature')));
    await sender.send('21');
    expect(String(await receiver.receive())).toBe('21');
  });

  it('tells how many messages had no room, in their place', async () => {
    const url = server.url('flood');
    const receiver = closing(await natsReceiver(url, { prefetch: 5 }));
    const sender = closing(await natsSender(url));
    const seen = closing(await natsReceiver(url));
    for (let i = 0; i < 8; i++) await sender.send(String(i));
    // Both are served by the same server in order: what one has, the other has been sent.
    for (let i = 0; i < 8; i++) await seen.receive();
    await sender.send('mark');
    await seen.receive();
    for (let i = 0; i < 5; i++) expect(String(await receiver.receive())).toBe(String(i));
    const error = await receiver.receive().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ENOBUFS' });
    expect((error as Error).message).toMatch(/[34] messages/);
  });

  it('send() waits while the server is away, and goes on when it is back', async () => {
    const url = server.url('outage');
    const receiver = closing(await natsReceiver(url));
    const sender = closing(await natsSender(url));
    await sender.send('before');
    expect(String(await receiver.receive())).toBe('before');
    await server.kill();
    // The connection is known to be lost at the latest when a send was not answered.
    const failed = await sender.send('lost', { timeout: 5000 }).catch((error: unknown) => error);
    expect(['ECONNRESET', 'ETIMEDOUT']).toContain((failed as { code: string }).code);
    expect(sender.trySend('not now')).toBe(false);
    await expect(sender.send('never', { timeout: 30 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
    const sending = sender.send('after');
    await server.start();
    await sending;
    // The receiver comes back by itself; what it missed until then it never has.
    let message: Buffer | null = null;
    while (message === null) {
      await sender.send('again');
      message = await receiver.receive({ timeout: 50 }).catch(() => null);
    }
    expect(['again', 'after']).toContain(String(message));
  });

  it('refuses wrong credentials with EACCES', async () => {
    const locked = await NatsServer.open({
      config: 'authorization { user: me, password: secret }',
    });
    onTestFinished(() => locked.end());
    await expect(natsSender(locked.url('x'))).rejects.toMatchObject({ code: 'EACCES' });
    const wrong = locked.url('x').replace('//', '//me:wrong@');
    await expect(natsSender(wrong)).rejects.toMatchObject({ code: 'EACCES' });
    const sender = await natsSender(locked.url('x').replace('//', '//me:secret@'));
    await sender.send('let in');
    sender.close();
  });

  it('refuses what is over the max_payload of the server with EMSGSIZE and a hint', async () => {
    const small = await NatsServer.open({ config: 'max_payload: 1024' });
    onTestFinished(() => small.end());
    const sender = closing(await natsSender(small.url('x')));
    expect(sender.traits.maxMessageSize).toBe(1024);
    await sender.send(Buffer.alloc(1024));
    const error = await sender.send(Buffer.alloc(1025)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EMSGSIZE' });
    expect((error as { hint: string }).hint).toContain('max_payload');
  });

  it('nats+jetstream:// of a server without JetStream is ERR_UNSUPPORTED with a hint', async () => {
    const error = await natsSender(server.url('x', 'nats+jetstream')).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect((error as { hint: string }).hint).toContain('-js');
  });
});
