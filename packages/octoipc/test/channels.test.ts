import { existsSync, fstatSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { isFifo } from '@octoipc/fifo';
import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { createPipe, pipeReceiver, pipeSender } from '@octoipc/pipe';
import { ShmRing } from '@octoipc/shm';
import { connect, socketSender } from '@octoipc/socket';
import { openReceiver, openSender, registerScheme, schemes } from 'octoipc';
import { describe, expect, it, onTestFinished } from 'vitest';

import { closing, folder, freshKey, freshName, OPENERS, refusal } from './channel-places.js';
import { node } from './command.js';

describe('what is missing', () => {
  const named = (path: string): string[] => [
    `fifo:${path}`,
    `mq:${freshName()}`,
    `sysv-mq:${freshKey()}`,
    `shm:${freshName()}`,
  ];

  it('is ENOENT without create', async () => {
    for (const url of named(join(folder(), 'none'))) {
      for (const open of OPENERS) {
        expect(await refusal(open(url))).toMatchObject({ code: 'ENOENT' });
      }
    }
  });

  it('is made by either side with create, with its exact mode, and stays after close()', async () => {
    const path = join(folder(), 'made');
    const [fifo, mq, sysv, ring] = named(path) as [string, string, string, string];
    const options = { create: true, mode: 0o660 };
    const fifoReceiver = await openReceiver(fifo, options);
    fifoReceiver.close();
    expect(isFifo(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    (await openSender(mq, options)).close();
    onTestFinished(() => PosixQueue.unlink(mq.slice(3)));
    const posix = closing(PosixQueue.open(mq.slice(3)));
    expect(fstatSync(posix.fd).mode & 0o777).toBe(0o660);
    (await openReceiver(sysv, options)).close();
    const queue = SysvQueue.open(Number(sysv.slice(8)));
    onTestFinished(() => queue.remove());
    expect(queue.stat().mode & 0o777).toBe(0o660);
    (await openSender(ring, options)).close();
    onTestFinished(() => ShmRing.unlink(ring.slice(4)));
    expect(statSync(`/dev/shm${ring.slice(4)}`).mode & 0o777).toBe(0o660);
  });

  it('goes with its maker with temporary', async () => {
    const names = [`mq:${freshName()}`, `sysv-mq:${freshKey()}`, `shm:${freshName()}`];
    for (const url of names) {
      (await openReceiver(url, { temporary: true })).close();
      expect(await refusal(openSender(url))).toMatchObject({ code: 'ENOENT' });
    }
  });
});

describe('sockets', () => {
  const listening = (): string[] => [
    `unix:${folder()}/s`,
    `unix+seqpacket:${folder()}/s`,
    `unix+dgram:${folder()}/s`,
    `unix:@octoipc-channels-${process.pid}`,
  ];

  it('a sender waits for its receiver, for as long as it may', async () => {
    for (const url of listening()) {
      const late = await refusal(openSender(url, { timeout: 20 }));
      expect(late).toMatchObject({ code: 'ETIMEDOUT', target: url });
      const reason = new Error('enough');
      const controller = new AbortController();
      const aborted = refusal(openSender(url, { signal: controller.signal }));
      const sending = openSender(url);
      setImmediate(() => controller.abort(reason));
      expect(await aborted).toBe(reason);
      const receiver = closing(await openReceiver(url));
      const sender = closing(await sending);
      await sender.send('here');
      expect(String(await receiver.receive())).toBe('here');
    }
  });

  it('the path goes with its receiver; one that was killed is taken over with create', async () => {
    for (const scheme of ['unix', 'unix+seqpacket', 'unix+dgram']) {
      const path = join(folder(), 's');
      const url = `${scheme}:${path}`;
      const program = `
        const { openReceiver } = await import('octoipc');
        await openReceiver('${url}', { create: true });
        process.kill(process.pid, 'SIGKILL');
      `;
      await node('--input-type=module', '--eval', program);
      expect(existsSync(path)).toBe(true);
      expect(await refusal(openReceiver(url))).toMatchObject({ code: 'EADDRINUSE' });
      const receiver = await openReceiver(url, { create: true });
      expect(await refusal(openReceiver(url, { create: true }))).toMatchObject({
        code: 'EADDRINUSE',
      });
      receiver.close();
      expect(existsSync(path)).toBe(false);
    }
  });

  /** A receiver of two senders, of which it has received and which have left. */
  async function left(persistent: boolean) {
    const url = `unix:${folder()}/s`;
    const receiver = closing(await openReceiver(url, { persistent }));
    const senders = [await openSender(url), await openSender(url)];
    for (const [index, sender] of senders.entries()) await sender.send(String(index));
    const seen = [String(await receiver.receive()), String(await receiver.receive())];
    expect(seen.toSorted()).toEqual(['0', '1']);
    senders[0]!.close();
    expect(receiver.tryReceive()).toBeUndefined();
    senders[1]!.close();
    return { url, receiver };
  }

  it('a receiver ends when the last of its senders has left, and takes no other then', async () => {
    const { url, receiver } = await left(false);
    expect(await receiver.receive()).toBeNull();
    expect(await refusal(openSender(url, { timeout: 0 }))).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('a receiver that is persistent outlives its senders', async () => {
    const { url, receiver } = await left(true);
    expect(receiver.tryReceive()).toBeUndefined();
    const another = closing(await openSender(url));
    await another.send('another');
    expect(String(await receiver.receive())).toBe('another');
  });

  it('a sender that dies within a message is told at the end, which looks good otherwise', async () => {
    const path = join(folder(), 's');
    const receiver = closing(await openReceiver(`unix:${path}`));
    const connection = await connect({ path });
    await socketSender(connection).send('whole');
    const cut = await connect({ path });
    await cut.write(Buffer.from([9, 0, 0, 0, 1]));
    cut.close();
    connection.close();
    expect(String(await receiver.receive())).toBe('whole');
    await expect(receiver.receive()).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    expect(await receiver.receive()).toBeNull();
  });

  it('tells the port that the kernel has chosen', async () => {
    const receiver = closing(await openReceiver('tcp://127.0.0.1:0'));
    expect(receiver.url).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    const sender = closing(await openSender(receiver.url));
    expect(sender.traits).toMatchObject({ mechanism: 'tcp', crossMachine: true });
  });
});

describe('popen:', () => {
  it('the end of a program that fails is a failure', async () => {
    const receiver = closing(await openReceiver('popen:exit 3'));
    await expect(receiver.receive()).rejects.toMatchObject({ code: 'ERR_PROCESS_FAILED' });
    expect(await receiver.receive()).toBeNull();
  });

  it('close() ends a program that nobody listens to any more', async () => {
    const program = `
      const { openReceiver } = await import('octoipc');
      const receiver = await openReceiver('popen:sleep 1000');
      receiver.close();
    `;
    const { status } = await node('--input-type=module', '--eval', program);
    expect(status).toBe(0);
  });
});

describe('codecs', () => {
  it('carry text, JSON, bytes, structured clones, and what you write', async () => {
    const url = `mq:${freshName()}`;
    closing(await openReceiver(url, { temporary: true }));
    const pass = async (codec: 'text', value: unknown): Promise<unknown> => {
      const sender = closing(await openSender(url, { codec }));
      const receiver = closing(await openReceiver(url, { codec }));
      await sender.send(value as string);
      expect(sender.trySend(value as string)).toBe(true);
      expect(receiver.tryReceive()).toEqual(await receiver.receive());
      await sender.send(value as string);
      for await (const received of receiver) return received;
      return undefined;
    };
    expect(await pass('text', 'grüße')).toBe('grüße');
    expect(await pass('json' as 'text', { a: [1] })).toEqual({ a: [1] });
    expect(await pass('structured' as 'text', new Map([[1n, new Date(0)]]))).toEqual(
      new Map([[1n, new Date(0)]]),
    );
    const upper = {
      encode: (value: string) => Buffer.from(value.toUpperCase()),
      decode: (bytes: Uint8Array) => String(Buffer.from(bytes)),
    };
    expect(await pass(upper as never, 'shout')).toBe('SHOUT');
  });
});

describe('registerScheme()', () => {
  it('opens URLs of its own, with all options but the codec', async () => {
    const { reader, writer } = createPipe();
    const seen: unknown[] = [];
    registerScheme('test-loop', {
      sender(url, options) {
        seen.push(url, options);
        return pipeSender(writer);
      },
      receiver: async () => pipeReceiver(reader),
    });
    const sender = closing(await openSender('test-loop:a:b', { codec: 'json', mode: 0o640 }));
    const receiver = closing(await openReceiver('test-loop:', { codec: 'json' }));
    await sender.send([1]);
    expect(await receiver.receive()).toEqual([1]);
    expect(seen).toEqual(['test-loop:a:b', { mode: 0o640 }]);
    expect(schemes()).toContain('test-loop');
    await receiver.done();
  });

  it('is for one direction, too: the other is ERR_UNSUPPORTED', async () => {
    registerScheme('test-null', { sender: () => Promise.reject(new Error('reached')) });
    expect((await refusal(openSender('test-null:'))).message).toBe('reached');
    expect(await refusal(openReceiver('test-null:'))).toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });

  it('refuses names that are none or taken, and schemes that open nothing', () => {
    const scheme = { sender: () => Promise.reject(new Error('never')) };
    for (const name of ['', 'Mq', '1x', 'a b', 'a:', 'mq', 'tcp']) {
      expect(() => registerScheme(name, scheme)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      );
    }
    for (const wrong of [undefined, null, {}, { sender: 1 }] as never[]) {
      expect(() => registerScheme('test-wrong', wrong)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
    expect(() => registerScheme(1 as never, scheme)).toThrow(TypeError);
  });
});
