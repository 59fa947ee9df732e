import { closeSync, openSync } from 'node:fs';

import { expect, onTestFinished, test } from 'vitest';

import { pair } from './opened.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

/** After so many sends in a row the next one waits for a turn of the event loop. */
const IN_A_ROW = 64;

/** More than a socket takes at once. */
const LARGE = Buffer.alloc(1 << 20, 'large');

/** A pair of which one side has sent so many messages that the next one is held back. */
async function tired(): Promise<ReturnType<typeof pair>> {
  const [left, right] = pair();
  for (let i = 0; i < IN_A_ROW; i++) {
    await left.send('before');
    await right.receive();
  }
  return [left, right];
}

test('end() comes after a message that waits for its turn', async () => {
  const [left, right] = await tired();
  const sent = left.send('last');
  const ended = left.end();
  expect(String(await right.receive())).toBe('last');
  expect(await right.receive()).toBe(null);
  await Promise.all([sent, ended]);
});

test('end() comes after all messages that wait for room', async () => {
  const [left, right] = pair();
  const all = Promise.all([left.send(LARGE), left.send(LARGE), left.send('last'), left.end()]);
  const got = [await right.receive(), await right.receive(), await right.receive()];
  expect(got.map((message) => message?.length)).toEqual([LARGE.length, LARGE.length, 4]);
  expect(await right.receive()).toBe(null);
  await all;
});

test('sendSync() comes after a message that waits for its turn', async () => {
  const [left, right] = await tired();
  const sent = left.send('first');
  left.sendSync('second');
  expect(String(await right.receive())).toBe('first');
  expect(String(await right.receive())).toBe('second');
  await sent;
});

test('sendSync() is EBUSY behind a message that waits for room, and trySend() sends nothing', async () => {
  const [left, right] = pair();
  const sent = left.send(LARGE);
  expect(() => left.sendSync('overtakes')).toThrow(failing('EBUSY'));
  expect(left.trySend('overtakes')).toBe(false);
  expect((await right.receive())?.length).toBe(LARGE.length);
  await sent;
  left.sendSync('then');
  expect(String(await right.receive())).toBe('then');
});

test('sendFds() has its place among messages: behind those before, and before those later', async () => {
  const fd = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(fd));
  const [left, right] = await tired();
  const all = Promise.all([left.send('one'), left.sendFds([fd], 'two'), left.send('three')]);
  let data = '';
  let fds = 0;
  while (!data.endsWith('three')) {
    const message = (await right.receiveFds())!;
    data += String(message.data);
    for (const each of message.fds) closeSync(each);
    fds += message.fds.length;
  }
  expect([data, fds]).toEqual(['\x03\0\0\0onetwo\x05\0\0\0three', 1]);
  await all;
});

test('sendFds() behind messages that wait for room is in order, can be aborted, and is EBUSY if it must not wait', async () => {
  const fd = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(fd));
  const [left, right] = pair();
  const controller = new AbortController();
  const first = Promise.all([left.send(LARGE), left.send(LARGE)]);
  const aborted = left.sendFds([fd], 'aborted', { signal: controller.signal });
  const second = left.sendFds([fd], '\x04\0\0\0fds ');
  const third = left.send('last');
  expect(() => left.sendFdsSync([fd])).toThrow(failing('EBUSY'));
  await expect(left.sendFds([fd], 'late', { timeout: 0 })).rejects.toThrow(failing('ETIMEDOUT'));
  controller.abort();
  await expect(aborted).rejects.toThrow('aborted');
  const got = [];
  for (let i = 0; i < 4; i++) got.push((await right.receive())!);
  expect(got.map((message) => message.length)).toEqual([LARGE.length, LARGE.length, 4, 4]);
  expect(got.slice(2).map(String)).toEqual(['fds ', 'last']);
  await Promise.all([first, second, third]);
});

test('sendSync() that times out in the middle of a message leaves the stream in step', async () => {
  const [left, right] = pair();
  expect(() => left.sendSync(LARGE, { timeout: 1 })).toThrow(failing('ETIMEDOUT'));
  const next = left.send('next');
  const got = [await right.receive(), await right.receive()];
  expect(got[0]?.equals(LARGE)).toBe(true);
  expect(String(got[1])).toBe('next');
  await next;
});

test('toDuplex() is EBUSY while calls wait, which a stream of Node’s would not wait for', async () => {
  const [left, right] = pair();
  const reading = left.read();
  expect(() => left.toDuplex()).toThrow(failing('EBUSY'));
  await right.write('x');
  await reading;
  const writing = left.write(LARGE);
  expect(() => left.toDuplex()).toThrow(failing('EBUSY'));
  for (let count = 0; count < LARGE.length;) count += (await right.read())!.length;
  await writing;
  left.toDuplex().destroy();
});
