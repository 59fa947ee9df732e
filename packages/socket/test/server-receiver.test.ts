import {
  connect,
  Datagram,
  datagramReceiver,
  datagramSender,
  listen,
  serverReceiver,
  socketSender,
  type ServerReceiverOptions,
} from '@octoipc/socket';
import type { Receiver, Sender } from '@octoipc/core';
import { describe, expect, it, onTestFinished } from 'vitest';

import { freshPath } from './place.js';

interface Meeting {
  readonly path: string;
  readonly receiver: Receiver;
  join(): Promise<Sender>;
}

async function meeting(options?: ServerReceiverOptions): Promise<Meeting> {
  const path = freshPath();
  const receiver = serverReceiver(await listen({ path }), options);
  onTestFinished(() => receiver.close());
  const join = async (): Promise<Sender> => {
    const sender = socketSender(await connect({ path }));
    onTestFinished(() => sender.close());
    return sender;
  };
  return { path, receiver, join };
}

describe('serverReceiver()', () => {
  it('serves its senders in turn, however much one of them sends', async () => {
    const { receiver, join } = await meeting();
    const [busy, quiet] = [await join(), await join()];
    await busy.send('b');
    await quiet.send('q');
    // Both are known to the receiver now.
    await receiver.receive();
    await receiver.receive();
    for (let i = 0; i < 100; i++) await busy.send('b');
    for (let i = 0; i < 5; i++) await quiet.send('q');
    let last = 0;
    for (let i = 1; i <= 105; i++) if (String(await receiver.receive()) === 'q') last = i;
    // Both may be told of in either order, once.
    expect(last).toBeLessThanOrEqual(12);
  });

  it('takes no more than it hands out: a sender that nobody receives from has to wait', async () => {
    const { receiver, join } = await meeting();
    const sender = await join();
    await sender.send('first');
    await receiver.receive();
    const message = Buffer.alloc(10_000);
    let count = 0;
    while (sender.trySend(message)) {
      count += 1;
      expect(count).toBeLessThan(1000);
      await new Promise(setImmediate);
    }
    expect(sender.trySend(message)).toBe(false);
    await receiver.receive();
  });

  it('serves maxConnections, and the next one when one of them has left', async () => {
    const { receiver, join } = await meeting({ maxConnections: 2 });
    const senders = [await join(), await join(), await join()];
    for (const [index, sender] of senders.entries()) await sender.send(String(index));
    expect([String(await receiver.receive()), String(await receiver.receive())]).toEqual([
      '0',
      '1',
    ]);
    expect(receiver.tryReceive()).toBeUndefined();
    senders[0]!.close();
    expect(String(await receiver.receive())).toBe('2');
  });

  it('hundreds of senders lose nothing', async () => {
    const { receiver, join } = await meeting();
    const senders = await Promise.all(Array.from({ length: 300 }, join));
    const sending = Promise.all(
      senders.map(async (sender, index) => {
        for (let i = 0; i < 10; i++) await sender.send(`${index} ${i}`);
        sender.close();
      }),
    );
    const next = new Map<string, number>();
    for await (const message of receiver) {
      const [index, i] = String(message).split(' ') as [string, string];
      expect(Number(i)).toBe(next.get(index) ?? 0);
      next.set(index, Number(i) + 1);
    }
    await sending;
    expect([...next.values()]).toEqual(Array.from({ length: 300 }, () => 10));
  });

  it('with persistent: cuts off a sender that breaks the rules, warns, and goes on', async () => {
    const { path, receiver, join } = await meeting({ persistent: true });
    const warnings: { name: string; code?: string }[] = [];
    const hear = (warning: Error): void => void warnings.push(warning);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const bad = await connect({ path });
    await bad.write(Buffer.alloc(8, 0xff));
    const good = await join();
    await good.send('good');
    expect(String(await receiver.receive())).toBe('good');
    expect(await bad.read()).toBeNull();
    bad.close();
    await new Promise(setImmediate);
    expect(warnings).toMatchObject([{ name: 'IpcSenderWarning', code: 'EMSGSIZE' }]);
  });

  it('close() rejects who waits, closes all connections, and removes the path', async () => {
    const { path, receiver, join } = await meeting();
    const sender = await join();
    await sender.send('x');
    await receiver.receive();
    const waiting = receiver.receive().catch((error: unknown) => error);
    receiver.close();
    expect(await waiting).toMatchObject({ code: 'ERR_CLOSED' });
    await expect(sender.send('y')).rejects.toMatchObject({ code: 'EPIPE' });
    await expect(connect({ path })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses what is no server, and numbers that are none', async () => {
    expect(() => serverReceiver({} as never)).toThrow(TypeError);
    const server = await listen({ path: freshPath() });
    onTestFinished(() => server.close());
    expect(() => serverReceiver(server, { maxConnections: 0 })).toThrow(RangeError);
    expect(() => serverReceiver(server, { persistent: 1 as never })).toThrow(TypeError);
  });
});

describe('datagramSender() and datagramReceiver()', () => {
  it('a message over maxMessageSize of the receiver is dropped, and told', async () => {
    const path = freshPath();
    const receiver = datagramReceiver(await Datagram.bind({ path }), { maxMessageSize: 10 });
    const sender = datagramSender(await Datagram.connect({ path }));
    await sender.send('12345678901');
    await sender.send('short');
    await expect(receiver.receive()).rejects.toMatchObject({ code: 'EMSGSIZE' });
    expect(String(await receiver.receive())).toBe('short');
    sender.close();
    receiver.close();
  });

  it('refuse what is no datagram socket', () => {
    expect(() => datagramSender({} as never)).toThrow(TypeError);
    expect(() => datagramReceiver({} as never)).toThrow(TypeError);
  });
});
