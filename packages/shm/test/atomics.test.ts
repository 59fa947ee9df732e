import { Worker } from 'node:worker_threads';

import { SharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { closing, failure, freshName, memfd, posix } from './memories.js';

/** What a worker says when it is done. */
function outcome(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
}

test('SHM-037: four workers increment one word of one object by compareExchange, and none is lost', async () => {
  const name = freshName();
  const memory = posix({}, name);
  const words = memory.view(Int32Array);
  const code = `
    const { parentPort } = require('node:worker_threads');
    const { SharedMemory } = require('@octoipc/shm');
    const memory = SharedMemory.open(${JSON.stringify(name)});
    const words = memory.view(Int32Array);
    // All at once.
    Atomics.add(words, 1, 1);
    memory.notify(4, Infinity);
    for (let here; (here = Atomics.load(words, 1)) < 4; ) memory.waitSync(4, here);
    for (let i = 0; i < 50_000; i++) {
      let seen = Atomics.load(words, 0);
      for (let was; (was = Atomics.compareExchange(words, 0, seen, seen + 1)) !== seen; ) seen = was;
    }
    memory.close();
    parentPort.postMessage('done');
  `;
  const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true }));
  onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.terminate()))));
  expect(await Promise.all(workers.map(outcome))).toEqual(Array(4).fill('done'));
  expect(words[0]).toBe(200_000);
});

test('SHM-037: a buffer that is cloned or transferred is a copy, the same memory, or refused; the handle goes on', () => {
  const memory = memfd({ size: 64 });
  memory.bytes[0] = 5;
  const copy = new Uint8Array(structuredClone(memory.buffer));
  expect([copy.length, copy[0]]).toEqual([64, 5]);
  const { buffer } = memory;
  let moved: Uint8Array | undefined;
  let refusal: string | undefined;
  try {
    moved = new Uint8Array(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }));
  } catch (error) {
    refusal = (error as Error).name;
  }
  expect(refusal).toBe(moved === undefined ? 'DataCloneError' : undefined);
  expect([memory.bytes.length, memory.bytes[0]]).toEqual([64, 5]);
  memory.bytes[0] = 6;
  memory.close();
  expect(copy[0]).toBe(memory.closed && copy.buffer instanceof ArrayBuffer ? 5 : 6);
  expect([moved?.length ?? 64, moved?.[0] ?? 5]).toEqual([64, 5]);
});

test('read() and write() copy, and have nothing to do with a buffer', () => {
  const memory = memfd({ size: 100 });
  memory.write(10, 'hello');
  memory.write(95, Uint16Array.of(0x0201, 0x0403));
  expect([String(memory.read(10, 5)), [...memory.read(95)]]).toEqual(['hello', [1, 2, 3, 4, 0]]);
  const all = memory.read();
  expect([all.length, all.buffer.byteLength]).toEqual([100, 100]);
  all[10] = 0;
  expect([memory.bytes[10], memory.read(100).length]).toEqual([104, 0]);
  memory.write(100, '');
  // Onto itself, overlapping.
  memory.write(11, memory.bytes.subarray(10, 15));
  expect(String(memory.read(10, 6))).toBe('hhello');
  for (const [offset, length] of [
    [101, 0],
    [-1, 1],
    [0.5, 1],
    [0, 101],
    [99, 2],
    [0, -1],
    [0, NaN],
  ] as const) {
    expect(() => memory.read(offset, length)).toThrow(failure('ERR_OUT_OF_RANGE'));
  }
  expect(() => memory.read('0' as never)).toThrow(failure('ERR_INVALID_ARG_TYPE'));
  expect(() => memory.write(98, 'abc')).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect(() => memory.write(-1, 'a')).toThrow(failure('ERR_OUT_OF_RANGE'));
  expect(() => memory.write(0, 7 as never)).toThrow(failure('ERR_INVALID_ARG_TYPE'));
  memory.close();
  expect(() => memory.read()).toThrow(failure('ERR_CLOSED'));
  expect(() => memory.write(0, 'a')).toThrow(failure('ERR_CLOSED'));
});

test('SHM-005: write() to memory for reading is EACCES, and nothing happens', () => {
  const name = freshName();
  const memory = posix({}, name);
  const reader = closing(SharedMemory.open(name, { readOnly: true }));
  expect(() => reader.write(0, 'x')).toThrow(failure('EACCES'));
  expect([reader.read(0, 1)[0], reader.bytes[0], memory.bytes[0]]).toEqual([0, 0, 0]);
});
