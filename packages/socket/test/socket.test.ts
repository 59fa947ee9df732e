import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { Socket, type SocketOptions } from '@octoipc/socket';
import { expect, onTestFinished, test } from 'vitest';

function create(options?: SocketOptions): Socket {
  const counter = Socket.create(options);
  onTestFinished(() => counter.close());
  return counter;
}

test('Socket.create() starts with its value, of which each wait takes one', async () => {
  const counter = create({ value: 2 });
  await counter.wait();
  counter.waitSync();
  expect(counter.tryWait()).toBe(false);
});

test('Socket.wait() resolves when another process adds to the counter', async () => {
  const counter = create();
  const wait = counter.wait({ timeout: 10_000 });
  const add = "require('fs').writeSync(3, new Uint8Array(BigUint64Array.of(1n).buffer))";
  const child = spawn(process.execPath, ['--eval', add], {
    stdio: ['ignore', 'inherit', 'inherit', counter.fd],
  });
  await wait;
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('Socket refuses what is no count, before any system call', () => {
  const counter = create();
  const outOfRange = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
  expect(() => create({ value: -1 })).toThrow(outOfRange);
  expect(() => counter.notify(0)).toThrow(outOfRange);
  expect(() => counter.notify(1.5)).toThrow(outOfRange);
});

test('Socket throws ERR_CLOSED after close()', async () => {
  const counter = create();
  counter.close();
  const closed = expect.objectContaining({ code: 'ERR_CLOSED' });
  expect(() => counter.notify()).toThrow(closed);
  expect(() => counter.tryWait()).toThrow(closed);
  await expect(counter.wait()).rejects.toThrow(closed);
});
