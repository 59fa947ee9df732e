import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { natsReceiver, natsSender, type NatsReceiver } from '@octoipc/nats';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { missing, NatsServer, titled } from './server.js';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe.skipIf(missing !== undefined)(titled('nats+jetstream://'), () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.open({ jetstream: true });
  });
  afterAll(() => server.end());

  const closing = <C extends { close(): void }>(channel: C): C => {
    onTestFinished(() => channel.close());
    return channel;
  };

  /** Another process of the group. */
  async function worker(url: string, mode: string, ackWait: number) {
    const script = new URL('./fixtures/worker.mjs', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, url, mode, String(ackWait)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<string> => String((await lines.next()).value);
    expect(await line()).toBe('ready');
    return { child, line };
  }

  async function take(receiver: NatsReceiver, count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count) taken.push(String(await receiver.receive({ timeout: 20_000 })));
    return taken;
  }

  it('keeps what is sent before anybody receives; without a stream it is ENOENT', async () => {
    const url = server.url('kept');
    await expect(natsSender(url)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(natsReceiver(url)).rejects.toMatchObject({ code: 'ENOENT' });
    const sender = closing(await natsSender(url, { create: true }));
    await sender.send('early');
    const receiver = closing(await natsReceiver(url));
    expect(await take(receiver, 1)).toEqual(['early']);
  });

  it('gives a message again that was not acknowledged, and never one that was', async () => {
    const url = server.url('again');
    const sender = closing(await natsSender(url, { create: true }));
    for (const text of numbers(4)) await sender.send(text);
    const first = await natsReceiver(url);
    expect(await take(first, 3)).toEqual(['0', '1', '2']);
    // 0 and 1 were acknowledged by asking for the next; 2 was not, nor was 3, which it may have.
    first.close();
    const second = await natsReceiver(url);
    expect((await take(second, 2)).toSorted()).toEqual(['2', '3']);
    await second.done();
    second.close();
    const third = closing(await natsReceiver(url));
    await expect(third.receive({ timeout: 200 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('acknowledges nothing by itself with acknowledge: manual', async () => {
    const url = server.url('manual');
    const sender = closing(await natsSender(url, { create: true }));
    for (const text of numbers(3)) await sender.send(text);
    const first = await natsReceiver(url, { acknowledge: 'manual' });
    expect(await take(first, 3)).toEqual(numbers(3));
    first.close();
    const second = closing(await natsReceiver(url, { acknowledge: 'manual' }));
    expect((await take(second, 3)).toSorted()).toEqual(numbers(3));
    await second.done();
  });

  it('a loop acknowledges its own messages, each when it asks for the next', async () => {
    const url = server.url('loop');
    const sender = closing(await natsSender(url, { create: true }));
    for (const text of numbers(3)) await sender.send(text);
    const first = await natsReceiver(url);
    const seen: string[] = [];
    for await (const message of first) {
      seen.push(String(message));
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['0', '1']);
    first.close();
    const second = closing(await natsReceiver(url));
    expect((await take(second, 2)).toSorted()).toEqual(['1', '2']);
    await second.done();
  });

  it('shares messages among processes of a group; of one that is killed, the others get them', async () => {
    const url = server.url('shared');
    const sender = closing(await natsSender(url, { create: true }));
    const stalled = await worker(url, 'stall', 500);
    for (const text of numbers(20)) await sender.send(text);
    const kept = await stalled.line();
    const other = await worker(url, 'work', 500);
    stalled.child.kill('SIGKILL');
    const seen = new Set<string>();
    while (seen.size < 20) seen.add(await other.line());
    expect([...seen].toSorted()).toEqual(numbers(20).toSorted());
    expect(seen).toContain(kept);
  });

  it('a consumer that lives may take longer than ackWait', async () => {
    const url = server.url('slow');
    const sender = closing(await natsSender(url, { create: true }));
    await sender.send('long work');
    const slow = closing(await natsReceiver(url, { ackWait: 300 }));
    expect(await take(slow, 1)).toEqual(['long work']);
    const other = closing(await natsReceiver(url));
    // Several times what the server waits for one that says nothing.
    await expect(other.receive({ timeout: 1500 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await slow.done();
  });

  it('loses and doubles nothing when the server is killed and comes back, again and again', async () => {
    const url = server.url('restart');
    const sender = closing(await natsSender(url, { create: true }));
    // What was on its way when the server was killed comes again after this.
    const receiver = closing(await natsReceiver(url, { ackWait: 1000 }));
    const COUNT = 600;
    const seen: string[] = [];
    const receiving = (async () => {
      while (seen.length < COUNT) seen.push(String(await receiver.receive()));
      await receiver.done();
    })();
    for (let i = 0; i < COUNT; i++) {
      const sending = sender.send(String(i));
      if (i % 200 === 100) {
        await server.kill();
        await server.start();
      }
      await sending;
    }
    await receiving;
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(COUNT));
    await expect(receiver.receive({ timeout: 200 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('send() times out while the server is away, and says that it may have been stored', async () => {
    const url = server.url('away');
    const sender = closing(await natsSender(url, { create: true }));
    await sender.send('there');
    await server.kill();
    try {
      await expect(sender.send('away', { timeout: 100 })).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      });
      const reason = new Error('enough');
      const controller = new AbortController();
      const sending = sender.send('aborted', { signal: controller.signal });
      controller.abort(reason);
      await expect(sending).rejects.toBe(reason);
    } finally {
      await server.start();
    }
  });

  it('send() waits while the stream has maxMessages', async () => {
    const url = server.url('bounded');
    const sender = closing(await natsSender(url, { create: true, maxMessages: 3 }));
    for (const text of numbers(3)) await sender.send(text);
    await expect(sender.send('no room', { timeout: 120 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
    const sending = sender.send('3');
    const receiver = closing(await natsReceiver(url));
    expect(await take(receiver, 4)).toEqual(numbers(4));
    await sending;
    await receiver.done();
  });

  it('takes no more ahead than prefetch', async () => {
    const url = server.url('ahead');
    const sender = closing(await natsSender(url, { create: true }));
    for (const text of numbers(20)) await sender.send(text);
    const first = closing(await natsReceiver(url, { prefetch: 4 }));
    expect(await take(first, 1)).toEqual(['0']);
    // Of 20 the first has no more than 4, the one that it has handed out, and 4 that it may have asked for.
    const second = closing(await natsReceiver(url, { prefetch: 20 }));
    expect((await take(second, 11)).length).toBe(11);
    await second.done();
  });

  it('a receiver whose server is gone for good does not keep the process alive', async () => {
    const mortal = await NatsServer.open({ jetstream: true });
    onTestFinished(() => mortal.end());
    const peer = Peer.node(new URL('./fixtures/over.mjs', import.meta.url), [mortal.url('over')]);
    expect(await peer.line()).toBe('ready');
    await mortal.kill();
    expect(await peer.ended).toMatchObject({ code: 0, stdout: 'ready\nECONNRESET\n' });
  });
});
