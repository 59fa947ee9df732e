import { mq, openReceiver, openSender, type ReceiverOptions, type SenderOptions } from 'octoipc';
import { describe, expect, it } from 'vitest';

import { closing, folder, freshName, OPENERS, refusal } from './channel-places.js';

/** What is wrong with a URL, and a good one of its scheme. */
const MALFORMED: [string, string][] = [
  ['jobs', 'mq:/jobs'],
  [':/jobs', 'mq:/jobs'],
  ['carrier-pigeon:/jobs', 'mq:/jobs'],
  ['MQ:/jobs', 'mq:/jobs'],
  ['pipe:', 'pipe:3'],
  ['pipe:three', 'pipe:3'],
  ['pipe:-1', 'pipe:3'],
  ['pipe:2147483648', 'pipe:3'],
  ['fifo:', 'fifo:/run/jobs'],
  ['fifo://run/jobs', 'fifo:/run/jobs'],
  ['fifo:/run/\0', 'fifo:/run/jobs'],
  ['mq:jobs', 'mq:/jobs'],
  ['mq:/', 'mq:/jobs'],
  ['mq:/a/b', 'mq:/jobs'],
  ['mq:/..', 'mq:/jobs'],
  ['sysv-mq:', 'sysv-mq:0x1234'],
  ['sysv-mq:jobs', 'sysv-mq:0x1234'],
  ['sysv-mq:0', 'sysv-mq:0x1234'],
  ['sysv-mq:0x123456789', 'sysv-mq:0x1234'],
  ['sysv-mq:id=', 'sysv-mq:0x1234'],
  ['sysv-mq:id=4294967296', 'sysv-mq:0x1234'],
  ['shm:ring', 'shm:/ring'],
  ['unix:', 'unix:/run/jobs.sock'],
  ['unix:@', 'unix:/run/jobs.sock'],
  ['unix://run/jobs.sock', 'unix:/run/jobs.sock'],
  ['unix+seqpacket:', 'unix+seqpacket:/run/jobs.sock'],
  ['unix+dgram:', 'unix+dgram:/run/jobs.sock'],
  ['tcp:127.0.0.1:7000', 'tcp://127.0.0.1:7000'],
  ['tcp://127.0.0.1', 'tcp://127.0.0.1:7000'],
  ['tcp://127.0.0.1:port', 'tcp://127.0.0.1:7000'],
  ['tcp://127.0.0.1:65536', 'tcp://127.0.0.1:7000'],
  ['tcp://:7000', 'tcp://127.0.0.1:7000'],
  ['popen:', 'popen:gzip -dc jobs.gz'],
  ['popen:  ', 'popen:gzip -dc jobs.gz'],
  ['nats://127.0.0.1:4222', 'nats://127.0.0.1:4222/jobs'],
];

describe('openSender() and openReceiver() refuse malformed URLs, and show a good one:', () => {
  it.each(MALFORMED)('%j', async (url, example) => {
    for (const open of OPENERS) {
      const error = await refusal(open(url));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
      expect(error.message).toContain(`'${example}'`);
    }
  });

  it('and tell no password', async () => {
    for (const scheme of ['nats', 'natss', 'tcp', 'x']) {
      for (const open of OPENERS) {
        const { message } = await refusal(open(`${scheme}://me:se/c@ret@127.0.0.1`));
        expect(message).toContain(`${scheme}://127.0.0.1`);
        expect(message).not.toMatch(/se\/c|ret@/);
      }
    }
  });

  it('what is no string', async () => {
    for (const url of [undefined, 1, {}, null] as never[]) {
      expect((await refusal(openSender(url))).code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  it('a port to connect to that is 0', async () => {
    expect((await refusal(openSender('tcp://127.0.0.1:0'))).code).toBe('ERR_INVALID_ARG_VALUE');
  });
});

/** An option that a scheme cannot honour. */
const DISHONOURED: [string, SenderOptions & ReceiverOptions][] = [
  ['pipe:3', { multipleSenders: true }],
  ['pipe:3', { mode: 0o600 }],
  ['pipe:3', { create: true, capacity: 4096 }],
  ['fifo:/run/x', { create: true, temporary: true }],
  ['mq:/x', { create: true, capacity: 4096 }],
  ['mq:/x', { multipleSenders: false }],
  ['mq:/x', { mode: 0o600 }],
  ['mq:/x', { maxMessages: 4 }],
  ['sysv-mq:1', { create: true, maxMessageSize: 10 }],
  ['sysv-mq:id=1', { create: true }],
  ['shm:/x', { create: true, maxMessages: 4 }],
  ['unix:/run/x', { maxMessages: 4 }],
  ['unix:/run/x', { multipleSenders: false }],
  ['tcp://127.0.0.1:1', { mode: 0o600 }],
  ['popen:true', { multipleSenders: true }],
  ['nats://127.0.0.1/x', { mode: 0o600 }],
  ['nats://127.0.0.1/x', { maxMessages: 4, create: true }],
];

describe('openSender() and openReceiver() refuse what a mechanism cannot honour:', () => {
  it.each(DISHONOURED)('%s with %j', async (url, options) => {
    for (const open of OPENERS) {
      const error = await refusal(open(url, options));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
      expect(error.message).toContain('options.');
    }
  });

  it('priorities, but of POSIX queues', async () => {
    for (const url of [
      'pipe:3',
      'fifo:/x',
      'sysv-mq:1',
      'shm:/x',
      'unix:/x',
      'tcp://127.0.0.1:1',
    ]) {
      expect((await refusal(openSender(url, { priority: 1 }))).code).toBe('ERR_INVALID_ARG_VALUE');
    }
    const name = freshName();
    const receiver = closing(await openReceiver(`mq:${name}`, { temporary: true }));
    const sender = closing(await openSender(`mq:${name}`, { priority: 1 }));
    const unsaid = { priority: undefined } as never;
    await sender.send('low', { priority: 0 });
    await sender.send('high');
    await sender.send('high', unsaid);
    for (const word of ['high', 'high', 'low']) {
      expect(String(await receiver.receive())).toBe(word);
    }
    sender.trySend('low', { priority: 0 });
    sender.trySend('high');
    const queue = closing(mq.PosixQueue.open(name));
    expect([queue.tryReceive()?.priority, queue.tryReceive()?.priority]).toEqual([1, 0]);
  });

  it('a priority of one message, over a ring and over datagrams', async () => {
    const ring = closing(await openSender(`shm:${freshName()}`, { temporary: true }));
    await expect(ring.send('x', { priority: 1 })).rejects.toThrow(TypeError);
    const url = `unix+dgram:${folder()}/s`;
    closing(await openReceiver(url));
    const datagrams = closing(await openSender(url));
    await expect(datagrams.send('x', { priority: 1 })).rejects.toThrow(TypeError);
  });

  it('many senders over a ring of one, and the second of them', async () => {
    const url = `shm:${freshName()}`;
    closing(await openReceiver(url, { temporary: true }));
    expect(await refusal(openSender(url, { multipleSenders: true }))).toMatchObject({
      code: 'ERR_UNSUPPORTED',
    });
    closing(await openSender(url));
    expect(await refusal(openSender(url))).toMatchObject({ code: 'EBUSY' });
  });

  it('a codec that is none', async () => {
    expect((await refusal(openSender('mq:/x', { codec: 'xml' as never }))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect((await refusal(openSender('mq:/x', { codec: {} as never }))).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
  });
});
