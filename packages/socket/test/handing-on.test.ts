import { once } from 'node:events';

import { Connection } from '@octoipc/socket';
import { expect, test, vi } from 'vitest';

import { closing, pair, scarce } from './opened.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

/** A pair, of which the right side has read more than the message that it received. */
async function ahead(...more: string[]): Promise<ReturnType<typeof pair>> {
  const [left, right] = pair();
  await Promise.all(['first', ...more].map((message) => left.send(message)));
  expect(String(await right.receive())).toBe('first');
  return [left, right];
}

/** A pair, of which the right side has read what nobody was given. */
async function returned(data: string): Promise<ReturnType<typeof pair>> {
  const [left, right] = pair();
  await left.write(data);
  const controller = new AbortController();
  const all = right.readAll({ signal: controller.signal });
  await vi.waitUntil(() => right.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  return [left, right];
}

test('release() is EBUSY while messages wait that came with the last one, and nothing is lost', async () => {
  const [left, right] = await ahead('second', 'third');
  expect(() => right.release()).toThrow(failing('EBUSY'));
  expect(String(await right.receive())).toBe('second');
  expect(() => right.release()).toThrow(failing('EBUSY'));
  expect(String(right.tryReceive())).toBe('third');
  const next = closing(Connection.fromFd(right.release()));
  await left.send('fourth');
  expect(String(await next.receive())).toBe('fourth');
});

test('release() is EBUSY while a part of a message was read, which read() gives', async () => {
  const [left, right] = pair();
  await left.write(Buffer.from('\x01\0\0\0a\x03\0\0\0b'));
  expect(String(await right.receive())).toBe('a');
  expect(right.tryReceive()).toBe(undefined);
  expect(() => right.release()).toThrow(failing('EBUSY'));
  expect(String(right.tryRead())).toBe('\x03\0\0\0b');
  closing(Connection.fromFd(right.release()));
});

test('a message of which a part was put back by release() is received whole', async () => {
  const [left, right] = pair();
  const large = Buffer.alloc(40_000, 'large');
  await left.write(
    Buffer.concat([Buffer.from('\x01\0\0\0a\x40\x9c\0\0', 'latin1'), large.subarray(0, 9)]),
  );
  expect(String(await right.receive())).toBe('a');
  for (const part of [large.subarray(9, 30_000), large.subarray(30_000)]) {
    expect(right.tryReceive()).toBe(undefined);
    expect(() => right.release()).toThrow(failing('EBUSY'));
    await left.write(part);
  }
  expect((await right.receive())!.equals(large)).toBe(true);
  closing(Connection.fromFd(right.release()));
});

test('release() is EBUSY while there is what an aborted readAll() gave back', async () => {
  const [, right] = await returned('given back');
  expect(() => right.release()).toThrow(failing('EBUSY'));
  expect(String(await right.read())).toBe('given back');
  closing(Connection.fromFd(right.release()));
});

test('toDuplex() and toWeb() begin with what came with the last message', async () => {
  const [left, right] = await ahead('second');
  left.tryWrite('raw');
  const duplex = right.toDuplex();
  let read = '';
  for (duplex.on('data', (chunk: Buffer) => (read += String(chunk))); read.length < 13;) {
    await once(duplex, 'data');
  }
  expect(read).toBe('\x06\0\0\0secondraw');
  const [, other] = await ahead('second');
  const { value } = await other.toWeb().readable.getReader().read();
  expect(String(Buffer.from(value!))).toBe('\x06\0\0\0second');
});

test('toDuplex() and toWeb() are EBUSY while messages wait to be sent', async () => {
  const [left, right] = pair();
  const large = Buffer.alloc(1 << 20);
  const sent = left.send(large);
  expect(() => left.toDuplex()).toThrow(failing('EBUSY'));
  expect(() => left.toWeb()).toThrow(failing('EBUSY'));
  expect((await right.receive())?.length).toBe(large.length);
  await sent;
  left.toDuplex();
});

test('toDuplex() that fails for want of descriptors has lost nothing', async () => {
  const peer = scarce('duplex', 80);
  expect(await peer.report()).toEqual({ code: 'EMFILE', kept: 'kept' });
  expect(await peer.ended).toMatchObject({ code: 0 });
});
