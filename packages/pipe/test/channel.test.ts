import { json, withCodec } from '@octoipc/core';
import { pipeReceiver, pipeSender, spawnWithPipes } from '@octoipc/pipe';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';

import { codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { opened, turns } from './opened.js';

function channel(options?: { maxMessageSize?: number }) {
  const { reader, writer } = opened();
  return {
    reader,
    writer,
    sender: pipeSender(writer, options),
    receiver: pipeReceiver(reader, options),
  };
}

test('any messages come as they were sent, in order', async () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.constantFrom(65_532, 65_536, 200_000).map((size) => new Uint8Array(size).fill(size % 251)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 15 }), async (all) => {
      const { sender, receiver } = channel();
      const sending = sender.sendMany(all).then(() => sender.close());
      const got: Buffer[] = [];
      for await (const one of receiver) got.push(one);
      await sending;
      receiver.close();
      expect(got.length).toBe(all.length);
      expect(got.every((one, i) => one.equals(all[i]!))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('its traits say what a pipe is, and closing it closes the pipe', async () => {
  const { sender, receiver, reader, writer } = channel({ maxMessageSize: 100 });
  expect(sender.traits).toEqual({
    mechanism: 'pipe',
    boundaries: 'frames',
    priorities: false,
    persistent: false,
    multipleSenders: false,
    multipleReceivers: false,
    maxMessageSize: 100,
    crossMachine: false,
  });
  expect(receiver.traits).toEqual(sender.traits);
  expect(await codeOf(() => sender.send(Buffer.alloc(101)))).toBe('EMSGSIZE');
  const waiting = receiver.receive();
  receiver.close();
  expect(await codeOf(() => waiting)).toBe('ERR_CLOSED');
  expect(await codeOf(() => sender.send('x'))).toBe('EPIPE');
  sender.close();
  expect([reader.closed, writer.closed]).toEqual([true, true]);
});

test('a send that is cancelled half-way tells bytesWritten, and the stream stays in step', async () => {
  const { sender, receiver } = channel();
  const controllers = [new AbortController(), new AbortController()] as const;
  const large = Buffer.alloc(300_000, 'L');
  const first = sender.send(large, { signal: controllers[0].signal });
  const second = sender.send('second', { signal: controllers[1].signal });
  const third = sender.send('third');
  await turns(1);
  const outcomes = Promise.allSettled([first, second]);
  const reasons = [new Error('enough'), new Error('of both')] as const;
  controllers[0].abort(reasons[0]);
  controllers[1].abort(reasons[1]);
  expect(await outcomes).toEqual(reasons.map((reason) => ({ status: 'rejected', reason })));
  expect(reasons[0]).toHaveProperty('bytesWritten', 65_536);
  expect(reasons[1]).not.toHaveProperty('bytesWritten');
  expect((await receiver.receive())!.equals(large)).toBe(true);
  expect(String(await receiver.receive())).toBe('third');
  await third;
});

test('a receive that times out has taken nothing, even of a message that is half there', async () => {
  const { writer, receiver } = channel();
  writer.writeSync(Buffer.from([5, 0, 0, 0, 104, 105]));
  expect(await codeOf(() => receiver.receive({ timeout: 5 }))).toBe('ETIMEDOUT');
  expect(receiver.tryReceive()).toBe(undefined);
  writer.writeSync('ppo');
  expect(String(await receiver.receive())).toBe('hippo');
});

test('a stream that ends inside a frame is ERR_TRUNCATED, a length over the maximum EMSGSIZE', async () => {
  const cut = channel();
  cut.writer.writeSync(Buffer.from([5, 0, 0, 0, 104]));
  cut.writer.close();
  expect(await codeOf(() => cut.receiver.receive())).toBe('ERR_TRUNCATED');
  const huge = channel();
  huge.writer.writeSync(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  expect(await failure(() => huge.receiver.receive())).toMatchObject({ code: 'EMSGSIZE' });
});

test('frames as the documentation has them: a foreign program reads and writes them', async () => {
  const script = `
import os, struct
def exact(n):
    got = b''
    while len(got) < n:
        part = os.read(3, n - len(got))
        if not part: raise SystemExit
        got += part
    return got
while True:
    message = exact(struct.unpack('<I', exact(4))[0])[::-1]
    frame = struct.pack('<I', len(message)) + message
    while frame: frame = frame[os.write(4, frame):]
`;
  const { child, pipes } = spawnWithPipes('python3', ['-c', script], {
    pipes: { 3: 'read', 4: 'write' },
  });
  const peer = new Peer(child);
  const [sender, receiver] = [pipeSender(pipes[3]), pipeReceiver(pipes[4])];
  onTestFinished(() => {
    sender.close();
    receiver.close();
  });
  for (const text of ['abc', '', 'x'.repeat(100_000) + 'y']) {
    await sender.send(text);
    expect(String(await receiver.receive())).toBe(text.split('').toReversed().join(''));
  }
  sender.close();
  expect(await receiver.receive()).toBe(null);
  expect((await peer.ended).code).toBe(0);
});

test('values by a codec', async () => {
  const { sender, receiver } = channel();
  await withCodec(sender, json).send({ task: 'resize' });
  expect(await withCodec(receiver, json).receive()).toEqual({ task: 'resize' });
});

test.each([
  ['receiver', ',', true],
  ['receiver', 'unref,', false],
  ['receiver', ',unref', false],
  ['receiver', 'unref,ref', true],
  ['sender', ',', true],
  ['sender', 'unref,', false],
  ['sender', ',unref', false],
  ['sender', 'unref,ref', true],
])(
  'pending waits of a %s keep the process alive, unless unref() was called: %s',
  async (...args) => {
    const [end, calls, alive] = args;
    const peer = Peer.node(new URL('fixtures/alive.mjs', import.meta.url), [end, calls]);
    const { code, stdout, stderr } = await peer.ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: alive ? 'alive\n' : '',
      stderr: '',
    });
  },
);
